// SPDX-License-Identifier: Apache-2.0

package etcd

import "testing"

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
