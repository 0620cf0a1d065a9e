// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// ledger is what was written: from it follows what must be found, and where.
type ledger struct {
	mutex     sync.Mutex
	entries   []entry
	last      map[string]entry // of each key
	compacted int64            // up to this revision
}

type entry struct {
	key      string
	revision int64
	as       storedAs
	value    []byte // nil: it was deleted
}

func newLedger() *ledger { return &ledger{last: map[string]entry{}} }

func (l *ledger) add(e entry) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.entries = append(l.entries, e)
	if e.revision > l.last[e.key].revision { // those that are put at once come in any order
		l.last[e.key] = e
	}
}

// seen is the revision that kube-apiserver would have seen last; 0: the key is not there.
func (l *ledger) seen(key string) int64 {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if e := l.last[key]; e.value != nil {
		return e.revision
	}
	return 0
}

func (l *ledger) put(m *member, key string, as storedAs, value []byte) error {
	put, err := m.client.Kubernetes.OptimisticPut(context.Background(), key, value, l.seen(key), kubernetes.PutOptions{})
	if err != nil || !put.Succeeded {
		return fmt.Errorf("put %s: %t, %w", key, put.Succeeded, err)
	}
	l.add(entry{key, put.Revision, as, value})
	return nil
}

// renew puts what kube-apiserver keeps for itself, whatever was there.
func (l *ledger) renew(m *member, key string) error {
	value := []byte("k8s\x00 of no object")
	put, err := m.client.Put(context.Background(), key, string(value))
	if err == nil {
		l.add(entry{key, put.Header.Revision, storedAs{Kind: "plain-protobuf"}, value})
	}
	return err
}

func (l *ledger) delete(m *member, names ...string) {
	m.s.t.Helper()
	for _, name := range names {
		l.deleteKeys(m, "/registry/secrets/default/"+name)
	}
}

func (l *ledger) deleteKeys(m *member, keys ...string) {
	m.s.t.Helper()
	for _, key := range keys {
		gone, err := m.client.Kubernetes.OptimisticDelete(context.Background(), key, l.seen(key), kubernetes.DeleteOptions{})
		if err != nil || !gone.Succeeded {
			m.s.t.Fatalf("delete %s: %t, %v", key, gone.Succeeded, err)
		}
		l.add(entry{key: key, revision: gone.Revision})
	}
}

func (l *ledger) compact(m *member) {
	m.s.t.Helper()
	l.compacted = m.compact()
}

// keeps says whether a read of some revision that is not compacted gives the entry.
func (l *ledger) keeps(e entry) bool {
	if e.revision > l.compacted {
		return true
	}
	for _, later := range l.entries {
		if later.key == e.key && later.revision > e.revision && later.revision <= l.compacted {
			return false
		}
	}
	return true
}

// cell is one number of the report.
type cell struct {
	resource string
	as       storedAs
	where    string
}
type sum struct{ Objects, Bytes int }

// sums are the numbers that a database must give; free is what lies in its free pages, by
// another reader.
func (l *ledger) sums(free []byte) map[cell]sum {
	sums := map[cell]sum{}
	for _, e := range l.entries {
		where := ""
		switch {
		case e.value == nil:
		case l.last[e.key].revision == e.revision:
			where = "current"
		case l.keeps(e):
			where = "historic"
		case bytes.Contains(free, e.value):
			where = "unreachable"
		}
		if where != "" {
			count(sums, e, where)
		}
	}
	return sums
}

// addLog adds what the log of a member must give: every put that there ever was.
func (l *ledger) addLog(sums map[cell]sum) map[cell]sum {
	for _, e := range l.entries {
		if e.value != nil {
			count(sums, e, "log")
		}
	}
	return sums
}

func count(sums map[cell]sum, e entry, where string) {
	c := cell{resourceOf(e.key).String(), e.as, where}
	sums[c] = sum{sums[c].Objects + 1, sums[c].Bytes + len(e.value)}
}

// freePages are the bytes of the pages that nothing leads to, by bbolt's own reader.
func (s *site) freePages(file string) []byte {
	s.t.Helper()
	text, err := os.ReadFile(s.path(file))
	must(s.t, err)
	db, err := bbolt.Open(s.path(file), 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	must(s.t, err)
	defer db.Close()
	must(s.t, db.View(func(tx *bbolt.Tx) error {
		for id := 0; ; {
			page, err := tx.Page(id)
			if err != nil || page == nil {
				return err
			}
			end := id + page.OverflowCount + 1
			if page.Type == "free" {
				end = id + 1
			} else {
				clear(text[id*db.Info().PageSize : end*db.Info().PageSize])
			}
			id = end
		}
	}))
	return text
}

// name is the last part of a key.
func name(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
