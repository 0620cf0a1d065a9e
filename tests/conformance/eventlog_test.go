// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"keyward/conformance/common"
)

// eventLog collects the daemon's log and lets a test wait for events in it.
type eventLog struct {
	mutex sync.Mutex
	more  *sync.Cond
	rest  []byte // an unfinished line
	lines []string
	ended bool
}

func newEventLog() *eventLog {
	l := &eventLog{}
	l.more = sync.NewCond(&l.mutex)
	return l
}

// Write takes what the daemon wrote.
func (l *eventLog) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rest = append(l.rest, text...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			break
		}
		l.lines = append(l.lines, string(line))
		l.rest = rest
	}
	l.more.Broadcast()
	return len(text), nil
}

// end says that nothing more will come.
func (l *eventLog) end() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.ended = true
	l.more.Broadcast()
}

// mark is the place in the log that is reached now.
func (l *eventLog) mark() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.lines)
}

// await blocks until a line after `mark` has the event and the fields, and gives the mark
// behind it; false when the daemon ended, or time did, without it.
func (l *eventLog) await(mark int, until time.Time, event string, fields ...string) (int, bool) {
	timer := time.AfterFunc(time.Until(until), l.more.Broadcast)
	defer timer.Stop()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for next := mark; ; {
		for ; next < len(l.lines); next++ {
			if says(l.lines[next], event, fields) {
				return next + 1, true
			}
		}
		if l.ended || !time.Now().Before(until) {
			return next, false
		}
		l.more.Wait()
	}
}

func says(line, event string, fields []string) bool {
	line += " "
	if !strings.Contains(line, " event="+event+" ") {
		return false
	}
	for _, field := range fields {
		if !strings.Contains(line, " "+field+" ") {
			return false
		}
	}
	return true
}

// tail is what a reader of a failure wants to see.
func (l *eventLog) tail() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	lines := l.lines
	if len(lines) > 80 {
		lines = lines[len(lines)-80:]
	}
	return strings.Join(lines, "\n")
}

var untilEnd, must, eventually = common.UntilEnd, common.Must, common.Eventually
