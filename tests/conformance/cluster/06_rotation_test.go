// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// rotate makes KEK version v the one to wrap with.
func (c *cluster) rotate(v string) {
	c.t.Helper()
	c.keyward("key", "create")
	c.keyward("key", "accept", v)
	c.reload()
	c.keyward("key", "activate", v, "--only-copy", "--now", "--baseline")
	c.reload()
}

// rewriteAll writes all Secrets and ConfigMaps as they are, as docs and operators do.
func (c *cluster) rewriteAll() {
	c.t.Helper()
	c.run("/bin/sh", "-c", "kubectl get secrets,configmaps --all-namespaces -o json | kubectl replace -f -")
}

// revisions are those of all Secrets: a write makes a new one.
func (c *cluster) revisions() (all []string) {
	c.t.Helper()
	list, err := c.kube.CoreV1().Secrets("default").List(nothing, allStored)
	must(c.t, err)
	for _, s := range list.Items {
		all = append(all, s.Name+" "+s.ResourceVersion)
	}
	return all
}

// newKey waits until the API server writes under another key_id than `old`, and gives that.
func (c *cluster) newKey(old string) (id string) {
	c.t.Helper()
	probes := 0
	eventually(c.t, "another key_id", func() error {
		probes++
		name := fmt.Sprintf("probe%d", probes)
		must(c.t, c.probe("/readyz")) // green all the while
		c.mustCreate(name)
		id = c.object("keyward-secrets", c.inEtcd(secrets + name)[secrets+name]).KeyID
		must(c.t, c.kube.CoreV1().Secrets("default").Delete(nothing, name, deletion))
		if id == old {
			return fmt.Errorf("still %s", id)
		}
		return nil
	})
	return id
}

// disableFirst takes version 1 out of use with the proof that keyward asks for: nothing lies
// under it in etcd any more, superseded revisions included.
func (c *cluster) disableFirst() {
	c.t.Helper()
	now, err := c.etcd.Get(nothing, secrets)
	must(c.t, err)
	_, err = c.etcd.Compact(nothing, now.Header.Revision, clientv3.WithCompactPhysical())
	must(c.t, err)
	_, err = c.etcd.Defragment(nothing, c.variable("ETCDCTL_ENDPOINTS"))
	must(c.t, err)
	c.run(c.path("bin/etcdctl"), "--endpoints", c.variable("ETCDCTL_ENDPOINTS"), "snapshot", "save", "member.db")
	c.keyward("etcd", "audit", "member.db", "--json", "--out", "member.report", "--encryption-config", "encryption.yaml")
	c.keyward("key", "disable", "1", "--live", "member.report", "--no-backups")
	c.reload()
}

// 06: the KEK is rotated under a running API server: one Encrypt, nothing restarted, nothing
// refused.  Writing all as it is moves all to the new key and costs no call; writing all once
// more writes nothing.  Then the old version may be disabled.
func Test06_rotation__all_rewritten_under_the_new_key(t *testing.T) {
	c := newCluster(t)
	must(t, each(200, func(i int) error { return c.create(fmt.Sprintf("s%d", i)) }))
	var old string
	for old = range c.keyIDs() {
	}
	c.rotate("2")
	id := c.newKey(old)
	if ids := c.keyIDs(); ids[old] != 200 || len(ids) != 1 {
		t.Errorf("before anything is rewritten: %v", ids)
	}
	c.rewriteAll()
	if ids := c.keyIDs(); ids[id] != 200 || len(ids) != 1 {
		t.Errorf("rewritten: %v", ids)
	}
	c.mustCall("secrets", calls{}, 2, 0)
	before := c.revisions()
	c.rewriteAll()
	if after := c.revisions(); !slices.Equal(before, after) {
		t.Error("what lies under the new key was written again")
	}

	c.disableFirst()
	before2 := c.answered("secrets")
	c.restart("kube-apiserver")
	must(t, each(200, func(i int) error { return c.read(fmt.Sprintf("s%d", i)) }))
	c.mustCall("secrets", before2, 1, 1)
	if !strings.HasPrefix(id, "kw1-2-") {
		t.Errorf("the new key_id is %s", id)
	}
}
