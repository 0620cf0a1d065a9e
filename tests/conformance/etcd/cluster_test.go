// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"context"
	"slices"
	"testing"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// A member that is added is sent the log of the others: replacing members one after the
// other is no cure, and the report advises another.
func TestAddedMember__has_what_the_log_of_the_others_has(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	plain.put("a")
	kms.put("a")
	l.compact(m)
	m.defrag()
	s.audit(0, m.snapshot("backup.db"))
	_, err := m.client.MemberAdd(context.Background(), []string{"unix://peer:2"})
	must(t, err)
	second := s.startAs("second", "default="+m.peer+",", "second", "--initial-cluster-state", "existing")
	second.stop()
	r := s.audit(4, "--member", "second")
	if !slices.Contains(r.found(), "log secrets default/a plain-protobuf") {
		t.Errorf("found %v", r.found())
	}
}

// Under another prefix: objects outside of the one that is looked at are not judged, and
// that is said; with its own they are, by this audit and by those that it advises.
func TestOtherPrefix__said_and_judged_with_its_own(t *testing.T) {
	s := newSite(t)
	m, l := s.start("data"), newLedger()
	plain, kms := m.apiServer(l, identity), m.apiServer(l, s.kms("keyward", "key-1"), identity)
	const key = otherPrefix + "/secrets/default/in-clear"
	must(t, plain.write(key, inClear, secret(t, "in-clear", 200)))
	r := s.audit(3, m.snapshot("backup"))
	if len(r.Objects) != 0 || len(r.Unread) != 1 || r.Unread[0].Marked != 1 {
		t.Errorf("outside of the prefix: %+v", r.Unread)
	}
	r = s.audit(1, "--etcd-prefix", otherPrefix, "backup")
	r.mustFind("current secrets default/in-clear plain-protobuf")

	must(t, kms.write(key, kms.as, secret(t, "in-clear", 200)))
	r = s.audit(4, "--etcd-prefix", otherPrefix, m.snapshot("rewritten"))
	r.mustFind("historic secrets default/in-clear plain-protobuf")
	r.cure(m)
	s.audit(0, "--etcd-prefix", otherPrefix, "backup.db")
	if got, err := m.client.Get(context.Background(), key, kubernetes.GetOptions{}); err != nil || got.KV == nil {
		t.Errorf("%s: %v", key, err)
	}
}
