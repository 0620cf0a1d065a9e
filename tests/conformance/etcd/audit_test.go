// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"fmt"
	"strings"
	"testing"
)

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return all
}

// What lies in clear, in each of the four places.
func TestPlanted__4_of_4_are_found_where_they_lie(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	plain.put("only-in-the-log")
	l.delete(m, "only-in-the-log")
	l.compact(m)
	m.defrag()
	plain.put("current", "overwritten", "deleted")
	kms.put("overwritten")
	l.delete(m, "deleted")

	historic := []string{"historic secrets default/overwritten plain-protobuf", "historic secrets default/deleted plain-protobuf"}
	database := append([]string{"current secrets default/current plain-protobuf"}, historic...)
	log := []string{"log secrets default/only-in-the-log plain-protobuf", "log secrets default/current plain-protobuf",
		"log secrets default/overwritten plain-protobuf", "log secrets default/deleted plain-protobuf"}
	whole := append(append([]string{}, database...), log...)

	snapshot := s.audit(1, m.snapshot("backup.db"))
	snapshot.mustFind(database...)
	snapshot.mustCount(l.sums(nil))
	if snapshot.Database.Trailer != "good" || snapshot.Log != nil {
		t.Errorf("a snapshot: %+v", snapshot)
	}
	m.stop()
	copied := s.audit(1, m.copyDatabase("copied.db"))
	copied.mustFind(database...)
	if copied.Database.Trailer != "absent" {
		t.Errorf("a copied file has a trailer: %+v", copied.Database)
	}
	for _, args := range [][]string{{"--member", m.data}, {"--member", m.data + "/member"},
		{"--wal", m.data + "/member/wal", "backup.db"}} {
		r := s.audit(1, args...)
		r.mustFind(whole...)
		r.mustCount(l.addLog(l.sums(nil)))
		if !r.Log.Gapless || len(r.Unread) != 0 {
			t.Errorf("%v: %+v", args, r)
		}
	}
	logAlone := s.audit(4, "--wal", m.data+"/member/wal")
	logAlone.mustFind(log...)
	for _, o := range snapshot.Objects {
		if o.Revision != revisionInClear(l, o.Name) {
			t.Errorf("%s lies at revision %d, the report says %d", o.Name, revisionInClear(l, o.Name), o.Revision)
		}
	}
}

func revisionInClear(l *ledger, of string) int64 {
	for _, e := range l.entries {
		if name(e.key) == of && e.as == inClear {
			return e.revision
		}
	}
	return 0
}

// Counts of provider x key_id x place, of everything that kube-apiserver can write.
func TestEveryProvider__counts_are_what_was_written(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	second := s.kms("keyward", "key-2")
	servers := []*apiServer{
		m.apiServer(l, identity), m.apiServer(l, aescbc), m.apiServer(l, aesgcm), m.apiServer(l, secretbox),
		m.kmsV1(l, "old:vendor"), m.before129(l, "keyward", "key-0"),
		m.apiServer(l, s.kms("keyward", "key-1"), identity), m.apiServer(l, s.kms("other", "key-1")), m.apiServer(l, second),
	}
	for i, a := range servers {
		a.put(names(fmt.Sprintf("kept-%d", i), 2*i+1)...)
		a.put("changed")
		a.putWidget("changed")
		a.putWidget(fmt.Sprintf("widget-%d", i))
		a.put(names("deleted", i+1)...)
		l.delete(m, names("deleted", i+1)...)
	}
	s.audit(1, m.snapshot("backup.db")).mustCount(l.known(l.sums(nil)))
	m.stop()
	r := s.audit(1, "--member", m.data)
	r.mustCount(l.known(l.addLog(l.sums(nil))))
	seeds := 0
	for _, a := range servers {
		if a.as.Kind == "kms-v2" {
			seeds++
		}
	}
	if len(r.Seeds) != seeds || !r.Log.Gapless || len(r.Unread) != 0 {
		t.Errorf("%d seeds of %d: %+v", len(r.Seeds), seeds, r)
	}
}

// known is what is told without the configuration, in which old:vendor stands: the name
// ends at its first colon.
func (l *ledger) known(sums map[cell]sum) map[cell]sum {
	told := map[cell]sum{}
	for c, n := range sums {
		if c.as.Kind == "kms-v1" {
			c.as.Provider, _, _ = strings.Cut(c.as.Provider, ":")
		}
		told[c] = n
	}
	return told
}

// What a configuration moved on from is a leftover, whoever wrote it.
func TestLeftoversOfEachProvider__told_with_the_reason(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	first := s.kms("keyward", "key-1")
	config := s.configure("now.yaml", first, aescbc, aesgcm, secretbox, identity)
	old := []*apiServer{m.apiServer(l, aescbc), m.apiServer(l, aesgcm), m.apiServer(l, secretbox), m.apiServer(l, identity)}
	strange := []*apiServer{m.kmsV1(l, "vendor"), m.apiServer(l, s.kms("gone", "key-9"))}
	fine := []*apiServer{m.apiServer(l, first, identity), m.before129(l, "keyward", "key-0")}
	var want []string
	for i, a := range append(append(append([]*apiServer{}, old...), strange...), fine...) {
		a.put(fmt.Sprintf("of-%d", i))
		if i < len(old)+len(strange) {
			want = append(want, fmt.Sprintf("current secrets default/of-%d %s", i, a.as.Kind))
		}
	}
	r := s.audit(1, "--encryption-config", config, m.snapshot("backup.db"))
	r.mustFind(want...)
	r.mustCount(l.sums(nil))
	for _, a := range old[:3] {
		if why := r.why(a.as); why != "it was not written by the first provider" {
			t.Errorf("%+v: %q", a.as, why)
		}
	}
	for _, a := range strange {
		if why := r.why(a.as); why != "no provider of the configuration reads it" {
			t.Errorf("%+v: %q", a.as, why)
		}
	}
	for _, a := range fine {
		if why := r.why(a.as); why != "" {
			t.Errorf("%+v: %q", a.as, why)
		}
	}
	if why := r.why(inClear); why != "it is not encrypted" {
		t.Errorf("in clear: %q", why)
	}
	// Written anew, each of them is history.
	for i := range len(old) + len(strange) {
		fine[0].put(fmt.Sprintf("of-%d", i))
		want[i] = strings.Replace(want[i], "current", "historic", 1)
	}
	s.audit(4, "--encryption-config", config, m.snapshot("rewritten.db")).mustFind(want...)
}

// Compaction drops revisions and leaves their bytes in pages that nothing leads to: what
// bbolt itself takes for free pages holds exactly what the report says.
func TestCompacted__what_free_pages_keep_is_told(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms, box := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity), m.apiServer(l, secretbox)
	for _, a := range []*apiServer{plain, box, kms} {
		a.put(names("a", 60)...)
	}
	l.delete(m, names("a", 30)...)
	l.compact(m)
	kms.put(names("b", 5)...)

	free := s.freePages(m.snapshot("backup.db"))
	want := l.sums(free)
	if want[cell{"secrets", inClear, "unreachable"}].Objects == 0 {
		t.Fatal("no plaintext is left in free pages: nothing is tested")
	}
	r := s.audit(4, "backup.db")
	r.mustCount(want)
	if len(r.found()) != want[cell{"secrets", inClear, "unreachable"}].Objects || len(r.Unread) != 0 {
		t.Errorf("found %v, unread %+v", r.found(), r.Unread)
	}
	for _, o := range r.Objects {
		if o.Revision != revisionInClear(l, o.Name) {
			t.Errorf("%s lies at revision %d, the report says %d", o.Name, revisionInClear(l, o.Name), o.Revision)
		}
	}
	m.stop()
	free = s.freePages(m.copyDatabase("copied.db"))
	s.audit(4, "copied.db").mustCount(l.sums(free))
	s.audit(4, "--member", m.data).mustCount(l.addLog(l.sums(free)))
}

// A value that fills many pages loses the head of its pages when some are used again: what
// is left is found, or said to be unreadable, and never called clean.
func TestBigValue_deleted_pages_used_again__never_clean(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	for _, name := range names("big", 4) {
		must(t, plain.write("/registry/secrets/default/"+name, inClear, secret(t, name, 300_000)))
	}
	l.delete(m, names("big", 4)...)
	l.compact(m)
	for i := range 8 {
		kms.put(names(fmt.Sprint("small-", i), 20)...)
		free := s.freePages(m.snapshot(fmt.Sprint("backup-", i)))
		left := strings.Count(string(free), "planted in big-")
		r := s.audit(anyStatus, fmt.Sprint("backup-", i))
		if left > 0 && r.OK {
			t.Errorf("%d: clean, and %d pieces of plaintext are left", i, left)
		}
		if left == 0 {
			t.Fatalf("%d: no plaintext is left in free pages: nothing is tested", i)
		}
	}
}
