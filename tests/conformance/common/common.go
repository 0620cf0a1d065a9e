// SPDX-License-Identifier: Apache-2.0

// Package common is what the rings that are written in Go share: waiting, many at once, and
// looking at a keywardd from outside.
package common

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// UntilEnd leaves a moment before the test binary's own limit, to say what is missing.
func UntilEnd(t *testing.T) time.Time {
	if end, limited := t.Deadline(); limited {
		return end.Add(-10 * time.Second)
	}
	return time.Now().Add(time.Hour)
}

// Must ends the test with the error, if there is one.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Eventually asks until `ask` says nil: for what the API server and its client do by timers of
// their own, which tell nobody when they are done.
func Eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	end := UntilEnd(t)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: never: %v", what, err)
		}
		<-pace.C
	}
}

// Each does it n times, `atOnce` at a time.
func Each(n, atOnce int, do func(i int) error) error {
	failures := make(chan error, n)
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		go func() {
			failures <- do(i)
			<-slots
		}()
	}
	for range n {
		if err := <-failures; err != nil {
			return fmt.Errorf("one of %d: %w", n, err)
		}
	}
	return nil
}

// ChildrenOf are the living processes whose parent it is; none is an error.
func ChildrenOf(t *testing.T, parent int) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	Must(t, err)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && ParentOf(pid) == parent {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		t.Fatalf("process %d has no children", parent)
	}
	return pids
}

// ParentOf is the parent of a living process, 0 when there is none of this number.
func ParentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// "pid (comm) state ppid …", and comm may hold anything
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	if err != nil || fields[0] == "Z" {
		return 0
	}
	return parent
}

// StatusOf is what the status socket says of one class, into `class`.
func StatusOf(t *testing.T, socket, name string, class any) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	Must(t, err)
	defer conn.Close()
	text, err := io.ReadAll(conn)
	Must(t, err)
	var document struct {
		Classes []json.RawMessage `json:"classes"`
	}
	Must(t, json.Unmarshal(text, &document))
	for _, raw := range document.Classes {
		var named struct {
			Name string `json:"name"`
		}
		Must(t, json.Unmarshal(raw, &named))
		if named.Name == name {
			Must(t, json.Unmarshal(raw, class))
			return
		}
	}
	t.Fatalf("the status has no class %s:\n%s", name, text)
}
