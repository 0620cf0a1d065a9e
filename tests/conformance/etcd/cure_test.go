// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// cure runs the report's commands as they are printed, one after the other, and gives what
// they printed.  Those that begin with one of `may` may fail.
func (r *report) cure(m *member, may ...string) string {
	s := r.s
	s.t.Helper()
	var said strings.Builder
	for _, line := range r.Next {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cmd := exec.Command("/bin/sh", "-c", line)
		cmd.Dir, cmd.Env = s.dir, s.environment(m)
		out, err := cmd.CombinedOutput()
		said.WriteString(line + "\n" + string(out))
		allowed := false
		for _, begin := range may {
			allowed = allowed || strings.HasPrefix(line, begin)
		}
		if err != nil && !allowed {
			s.t.Fatalf("%s\n%v\n%s\nof: %s", line, err, out, strings.Join(r.Next, "\n"))
		}
	}
	return said.String()
}

// fresh says that the new member, begun from the cured one's snapshot, holds the objects
// and nothing that may not be there.
func (s *site) fresh(a *apiServer, audit ...string) {
	s.t.Helper()
	s.audit(0, append(audit, "--member", "fresh.etcd")...)
	want := a.m.list("/registry/")
	fresh := s.start("fresh.etcd")
	got := fresh.list("/registry/")
	for key, value := range want {
		if !bytes.Equal(got[key], value) {
			s.t.Errorf("%s differs in the new member", key)
		}
		if _, stale, err := a.read(key, got[key]); err != nil || stale {
			s.t.Errorf("%s: %v, to be written anew: %t", key, err, stale)
		}
	}
	if len(got) != len(want) || len(want) == 0 {
		s.t.Errorf("%d keys in the new member, %d in the old", len(got), len(want))
	}
}

func TestCure_violated__clean_afterwards(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	kms := s.kms("keyward", "key-1")
	providers := []provider{kms, aescbc, identity}
	config := s.configure("now.yaml", providers...)
	plain, old := m.apiServer(l, identity), m.apiServer(l, aescbc)
	plain.put("gone", "in-clear", "replaced")
	l.delete(m, "gone")
	plain.putWidget("in-clear")
	old.put("of-aescbc", "replaced")
	old.putWidget("of-aescbc")
	// More revisions than a compaction deletes at once, those in clear last.
	must(t, each(3000, func(int) error { return l.renew(m, "/registry/masterleases/10.0.0.1") }))
	plain.put("in-clear", "last")
	l.delete(m, "last")
	m.stop()
	audit := []string{"--encryption-config", config}
	r := s.audit(1, append(audit, "--member", m.data)...)

	m = s.start("data")
	now := m.apiServer(l, providers...)
	now.serveKubectl()
	before := now.opened()
	r.cure(m)
	s.audit(0, append(audit, "backup.db")...)
	for key, object := range now.opened() {
		if !bytes.Equal(object, before[key]) {
			t.Errorf("%s was changed", key)
		}
	}
	s.fresh(now, audit...)
	m.stop()
	if again := s.audit(4, append(audit, "--member", m.data)...); again.elsewhere("log") {
		t.Errorf("the cured member: %v", again.found())
	}
}

// Somebody compacted already: the command says so, the others do.
func TestCure_free_pages_only__clean_afterwards(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	plain.put(names("a", 60)...)
	kms.put(names("a", 60)...)
	l.compact(m)
	r := s.audit(4, m.snapshot("before.db"))
	if r.elsewhere("unreachable") {
		t.Errorf("compacted: %v", r.found())
	}
	if said := r.cure(m, "etcdctl compact"); !strings.Contains(said, "required revision has been compacted") {
		t.Errorf("a second compaction:\n%s", said)
	}
	s.audit(0, "backup.db").mustCount(l.sums(nil))
}

func TestCure_log_only__the_new_member_is_clean(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	plain.put("a", "b")
	kms.put("a", "c")
	l.delete(m, "b")
	l.compact(m)
	m.defrag()
	s.audit(0, m.snapshot("before.db"))
	m.stop()
	r := s.audit(4, "--member", m.data)
	r.mustFind("log secrets default/a plain-protobuf", "log secrets default/b plain-protobuf")
	m = s.start("data")
	kms.m = m
	for _, line := range r.Next {
		if strings.HasPrefix(line, "kubectl") || strings.HasPrefix(line, "etcdctl compact") || line == "etcdctl defrag" {
			t.Errorf("of a database that is clean: %s", line)
		}
	}
	r.cure(m)
	s.fresh(kms)
}

// opened are the objects, as a read gives them.
func (a *apiServer) opened() map[string][]byte {
	a.m.s.t.Helper()
	objects := map[string][]byte{}
	for _, prefix := range []string{"/registry/secrets/", "/registry/example.com/"} {
		for key, stored := range a.m.list(prefix) {
			object, _, err := a.read(key, stored)
			must(a.m.s.t, err)
			objects[key] = object
		}
	}
	return objects
}

// elsewhere says whether something was found outside of the place, or nothing in it.
func (r *report) elsewhere(where string) bool {
	for _, o := range r.Objects {
		if o.Where != where {
			return true
		}
	}
	return len(r.Objects) == 0
}
