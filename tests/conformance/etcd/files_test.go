// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Nothing was ever in clear: a snapshot, a copied file and the member are clean.
func TestEncryptedFromTheBeginning__clean_everywhere(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	first := s.kms("keyward", "key-1")
	config := s.configure("now.yaml", first, identity)
	a := m.apiServer(l, first, identity)
	a.put(names("a", 50)...)
	a.put(names("a", 20)...)
	l.delete(m, names("a", 10)...)
	l.compact(m)
	a.putWidget("w")
	s.audit(0, "--encryption-config", config, m.snapshot("backup.db"))
	m.stop()
	s.audit(0, "--encryption-config", config, m.copyDatabase("copied.db"))
	r := s.audit(0, "--encryption-config", config, "--member", m.data)
	if len(r.Next) != 0 || len(r.Objects) != 0 || r.Verdict != "clean" {
		t.Errorf("%+v", r)
	}
	r.mustCount(l.addLog(l.sums(s.freePages("copied.db"))))
}

// A running member's files change while they are read, so they are not.
func TestLiveMember__not_read_and_said(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	m.apiServer(l, identity).put("in-clear")
	const db, log = "take a snapshot", "a member runs on it"
	for _, try := range []struct{ args, said []string }{
		{[]string{"--member", m.data}, []string{db, log}},
		{[]string{m.data + "/member/snap/db"}, []string{db}},
		{[]string{"--wal", m.data + "/member/wal"}, []string{log}},
	} {
		r := s.audit(3, try.args...)
		said := ""
		for _, input := range r.Inputs {
			said += input.Unread
		}
		for _, due := range try.said {
			if r.Verdict != "unread" || len(r.Objects) != 0 || !strings.Contains(said, due) {
				t.Errorf("%v does not say %q: %s", try.args, due, said)
			}
		}
	}
	m.stop()
	s.audit(1, "--member", m.data)
}

// Raft's own snapshots lie beside the database, and hold no objects.
func TestRaftSnapshots__counts_stay(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data", "--snapshot-count", "100"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	plain.put(names("a", 150)...)
	kms.put(names("a", 150)...)
	m.stop()
	snaps, err := filepath.Glob(m.data + "/member/snap/*.snap")
	if err != nil || len(snaps) == 0 {
		t.Fatalf("raft made no snapshot: %v", err)
	}
	r := s.audit(4, "--member", m.data)
	r.mustCount(l.addLog(l.sums(nil)))
	if !r.Log.Gapless || len(r.Unread) != 0 {
		t.Errorf("%+v %+v", r.Log, r.Unread)
	}
}

// A log of several files; one of them is lost.
func TestLogOfManyFiles__whole_or_said(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	must(t, each(210, func(i int) error {
		a, name := []*apiServer{plain, kms}[i%2], fmt.Sprintf("big-%03d", i)
		return a.write("/registry/secrets/default/"+name, a.as, secret(t, name, 1_000_000))
	}))
	m.stop()
	r := s.audit(1, "--member", m.data)
	r.mustCount(l.addLog(l.sums(nil)))
	logs, err := filepath.Glob(m.data + "/member/wal/*.wal")
	if err != nil || len(logs) < 3 || !r.Log.Gapless {
		t.Fatalf("%d files, %+v: %v", len(logs), r.Log, err)
	}
	last := logs[len(logs)-1]
	if beginsWith(t, last) > r.Log.Last { // etcd has begun it, and nothing is in it
		must(t, os.Remove(last))
		last = logs[len(logs)-2]
	}
	must(t, os.Rename(last, s.path("last.wal")))
	cut := s.audit(1, "--member", m.data)
	if !slices.ContainsFunc(cut.Unread, func(u unread) bool {
		return u.Where == "log" && strings.HasPrefix(u.Why, "the log ends before")
	}) {
		t.Errorf("the last file is gone: %+v", cut.Unread)
	}
	if alone := s.audit(4, "--wal", m.data+"/member/wal"); !alone.Log.Gapless || len(alone.Unread) != 0 {
		t.Errorf("what is left is whole: %+v", alone)
	}
	must(t, os.Rename(s.path("last.wal"), last))
	must(t, os.Remove(logs[1]))
	if lost := s.audit(3, "--wal", m.data+"/member/wal"); lost.Log.Gapless || lost.Verdict != "unread" {
		t.Errorf("a file is gone: %+v", lost.Log)
	}
}

// beginsWith gives the raft index that a file's name says it begins with.
func beginsWith(t *testing.T, path string) uint64 {
	t.Helper()
	var seq, index uint64
	_, err := fmt.Sscanf(filepath.Base(path), "%x-%x.wal", &seq, &index)
	must(t, err)
	return index
}
