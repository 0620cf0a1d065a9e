// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// report makes a report for the gate of a snapshot of now.
func (c *cluster) report(name string) string {
	s := c.m.s
	s.t.Helper()
	s.run(nil, "keyward", "etcd", "audit", c.m.snapshot(name+".db"), "--json", "--out", name+".report")
	return name + ".report"
}

// mustRefuse says that version 1 is not disabled, and why.
func (c *cluster) mustRefuse(live, backup, why string) {
	s := c.m.s
	s.t.Helper()
	said := c.n.keyMust(1, "disable", "1", "--live", live, "--backup", backup)
	if want := "version 1 may be needed still: " + why; !strings.Contains(said, want) {
		s.t.Errorf("it does not say %q:\n%s", want, said)
	}
	for _, v := range c.n.keyring().Versions {
		if v.N == 1 && v.State == "disabled" {
			s.t.Fatalf("--live %s --backup %s disabled version 1", live, backup)
		}
	}
}

// The end of a KEK version: refused as long as a member or a backup needs it, and on record
// with its proof.
func TestGate_rotation__opens_when_nothing_is_sealed_under_the_version(t *testing.T) {
	s := newSite(t)
	c := s.newCluster()
	c.put(1, 4, "a")
	first := c.n.keyID(1)
	before := c.report("before")
	c.n.rotate("2")
	const objects = 3 * 4
	current := fmt.Sprintf(": objects under %s that are current: %d;", first, objects)
	kept := func(n int) string { return fmt.Sprintf(": objects under %s: %d;", first, n) }

	// A report of before the rewriting is of no use, and one of a rewriting half done.
	rotated := c.report("rotated")
	c.mustRefuse(before, before, before+current)
	c.mustRefuse(rotated, before, rotated+current)
	c.put(2, 3, "a")
	half := c.report("half")
	c.mustRefuse(half, half, half+fmt.Sprintf(": objects under %s that are current: %d;", first, 3))

	// All is rewritten: the member may go on without version 1, and its backups may not yet.
	c.put(2, 4, "a")
	now := c.report("now")
	c.mustRefuse(now, before, before+kept(objects))
	c.mustRefuse(now, now, now+kept(objects)) // old revisions
	c.m.compact()
	c.m.defrag()
	after := c.report("after")
	c.mustRefuse(after, before, before+kept(objects))
	must(t, os.Mkdir(s.path("backups"), 0o700))
	must(t, os.Link(s.path(before), s.path("backups/a")))
	must(t, os.Link(s.path(after), s.path("backups/b")))
	c.mustRefuse(after, "backups", "backups/a"+kept(objects))
	c.mustRefuse(before, after, before+current)

	c.n.keyMust(0, "disable", "1", "--live", now, "--live", after, "--backup", after)
	c.n.reload()
	c.mustHaveProof("etcd: 2 live, 1 backups, said to be all, sha256 " + s.digest(now, after, after))

	// The gate was right: without version 1 the cluster is whole, and the backup of before lost.
	c.n.stop()
	c.n.start()
	c.mustHold(c.m)
	c.restorable(0, c.config, "after.db")
	c.restorable(1, c.config, "before.db").mustSample(map[string]int{"refused": 3 * 3})
	c.mustTellNothing(nil, before, now, after)
}

// Where nothing is left, nothing shows that the API servers write under the new version.
func TestGate_all_is_deleted__wants_a_write_under_the_new_version(t *testing.T) {
	s := newSite(t)
	c := s.newCluster()
	c.put(1, 1, "a")
	c.n.rotate("2")
	c.ledger.deleteKeys(c.m, slices.Collect(maps.Keys(c.written))...)
	why := ": nothing is sealed under the baseline, " + c.n.keyID(2) + ", later than under " + c.n.keyID(1)
	deleted := c.report("deleted")
	c.mustRefuse(deleted, deleted, deleted+why)
	c.m.compact()
	c.m.defrag()
	empty := c.report("empty")
	c.mustRefuse(empty, empty, empty+why)
	c.put(2, 1, "b")
	later := c.report("later")
	c.n.keyMust(0, "disable", "1", "--live", later, "--backup", later)
	c.mustHaveProof("etcd: 1 live, 1 backups, said to be all, sha256 " + s.digest(later, later))
}

// mustHaveProof says what the keyring's history must have of the disabled version 1.
func (c *cluster) mustHaveProof(want string) {
	t := c.m.s.t
	t.Helper()
	var proofs []string
	k := c.n.keyring()
	for _, line := range k.History {
		if line.Act == "disable" {
			proofs = append(proofs, fmt.Sprintf("%d %s", line.N, line.Proof))
		}
	}
	if len(proofs) != 1 || proofs[0] != "1 "+want || k.Versions[0].State != "disabled" {
		t.Errorf("the history has %q, not %q: %+v", proofs, want, k.Versions)
	}
	for _, verb := range [][]string{{"list"}, {"show", "1"}} {
		said := c.n.key(verb[0], verb[1:]...)
		if !strings.Contains(said, "disabled") {
			t.Errorf("key %s:\n%s", verb[0], said)
		}
	}
}

// digest is that of reports as the keyring's history has it.
func (s *site) digest(reports ...string) string {
	s.t.Helper()
	digest := make([]byte, sha256.Size)
	for _, report := range reports {
		text, err := os.ReadFile(s.path(report))
		must(s.t, err)
		of := sha256.Sum256(text)
		both := sha256.Sum256(append(digest, of[:]...))
		digest = both[:]
	}
	return fmt.Sprintf("%x", digest)
}
