// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"fmt"
	"testing"
)

// restorable asks whether a snapshot opens, by the node's configuration.
func (c *cluster) restorable(status int, config, snapshot string, more ...string) *report {
	c.m.s.t.Helper()
	return c.m.s.audit(status, append([]string{snapshot, "--restorable", "--sample", "3", "--encryption-config", config,
		"--config", c.n.config}, more...)...)
}

// howOpened is what a seed's entry of the report must say, by its key_id.
type howOpened map[string]struct{ opens, why string }

// mustOpen compares the report's seeds, one by one, and their sums.
func (r *report) mustOpen(verdict string, seeds map[string]seed, how howOpened) {
	t := r.s.t
	t.Helper()
	if r.Restore == nil || r.Restore.Verdict != verdict {
		t.Fatalf("not %q: %+v", verdict, r.Restore)
	}
	sums := map[string]int{}
	for _, got := range r.Seeds {
		was, due := seeds[got.Seed]
		want := how[was.keyID]
		if !due || got.Provider != was.provider || got.KeyID != was.keyID || got.Current != was.objects ||
			got.Opens != want.opens || got.OpensWhy != want.why {
			t.Errorf("a seed: %+v\nwas: %s %s, %d objects, and %+v", got, was.provider, was.keyID, was.objects, want)
		}
		sums[sumOf[got.Opens]]++
	}
	if len(r.Seeds) != len(seeds) {
		t.Errorf("%d seeds of %d", len(r.Seeds), len(seeds))
	}
	for _, of := range sumOf {
		if r.Restore.Seeds[of] != sums[of] {
			t.Errorf("seeds %s: %d, not %d", of, r.Restore.Seeds[of], sums[of])
		}
	}
}

// sumOf the document's sums is how a seed opens.
var sumOf = map[string]string{"opens": "opened", "does not open": "failed", "refused": "refused",
	"not tried": "untried", "not judged": "not_judged"}

// mustSample says how the objects opened that were tried.
func (r *report) mustSample(want map[string]int) {
	r.s.t.Helper()
	for _, of := range sumOf {
		if r.Restore.Objects[of] != want[of] {
			r.s.t.Errorf("objects %s: %d, not %d", of, r.Restore.Objects[of], want[of])
		}
	}
}

// A backup of what three classes sealed under two KEK versions: what --restorable says of
// it is what a restore of it and each loss show.
func TestRestorable__says_what_a_restore_shows(t *testing.T) {
	s := newSite(t)
	c := s.newCluster()
	c.put(1, 5, "first")
	c.put(1, 2, "after-restart") // 3 more seeds
	beforeSecond := c.n.cloneToken("before-second")
	c.n.rotate("2")
	c.put(2, 4, "second")
	first, second := c.n.keyID(1), c.n.keyID(2)
	backup, seeds := c.m.snapshot("backup.db"), c.seeds()
	if len(seeds) != 9 {
		t.Fatalf("%d seeds", len(seeds))
	}
	plain := c.n.openAll(seeds)
	opens := howOpened{first: {"opens", ""}, second: {"opens", ""}}
	const rows, each = 6, 3 // resource x key_id, and the sample of each

	r := c.restorable(0, c.config, backup)
	r.mustOpen("restorable", seeds, opens)
	r.mustSample(map[string]int{"opened": rows * each})
	r.mustCount(c.ledger.sums(nil))
	for _, format := range [][]string{{}, {"--csv"}} {
		s.run(nil, "keyward", append([]string{"etcd", "audit", backup, "--restorable", "--sample", "3",
			"--encryption-config", c.config, "--config", c.n.config}, format...)...)
	}

	// It is restorable: a new member, a daemon and an API server that know nothing of it.
	c.n.stop()
	c.n.start()
	c.mustHold(s.restored(backup))

	secondCopy := c.n.cloneToken("second-copy")
	token := func(env string) []string { return []string{"--token", "pkcs11:token=keyward", "--env", env} }
	r = c.restorable(0, c.config, backup, token(secondCopy)...)
	r.mustOpen("restorable", seeds, opens)
	r.mustSample(map[string]int{"opened": rows * each})

	r = c.restorable(1, c.config, backup, token(beforeSecond)...)
	r.mustOpen("not restorable", seeds, howOpened{first: {"opens", ""}, second: {"does not open", "its key is not in this token"}})
	r.mustSample(map[string]int{"opened": rows / 2 * each, "failed": rows / 2 * each})

	// One provider more, that is not keyward.
	foreign := s.kms("foreign", "foreign-1")
	config := s.configureRules("with-foreign.yaml", append(c.rules(), rule{"gadgets.example.com", []provider{foreign}})...)
	a := c.m.apiServerOf(c.ledger, config)
	for _, name := range names("gadget", 4) {
		must(t, a.write("/registry/example.com/gadgets/default/"+name, foreign.as, widget(name)))
	}
	withForeign, withItsSeed := c.m.snapshot("with-foreign.db"), c.seeds()
	opens["foreign-1"] = struct{ opens, why string }{"not judged", "its provider's endpoint is no socket of this configuration"}
	r = c.restorable(3, config, withForeign)
	r.mustOpen("not shown to be restorable", withItsSeed, opens)
	r.mustSample(map[string]int{"opened": rows * each, "not_judged": each})
	r.mustCount(c.ledger.sums(nil))
	unsampled := s.audit(3, withForeign, "--restorable", "--encryption-config", config, "--config", c.n.config)
	unsampled.mustOpen("not shown to be restorable", withItsSeed, opens)

	// Somebody disables what is needed still.
	c.n.key("disable", "1", "--without-proof", "the ring tries it")
	lost := howOpened{first: {"refused", "the keyring's state of its version does not let it unwrap"}, second: {"opens", ""},
		"foreign-1": opens["foreign-1"]}
	r = c.restorable(1, c.config, backup)
	r.mustOpen("not restorable", seeds, lost)
	r.mustSample(map[string]int{"opened": rows / 2 * each, "refused": rows / 2 * each})
	c.restorable(1, config, withForeign).mustOpen("not restorable", withItsSeed, lost)
	c.n.key("enable", "1")
	c.restorable(0, c.config, backup).mustOpen("restorable", seeds, opens)

	c.mustTellNothing(plain, backup)
}

// restored is a new member that begins with a snapshot.
func (s *site) restored(snapshot string) *member {
	s.t.Helper()
	program := "etcdutl"
	if setting(s.t, "KEYWARD_ETCD") == "3.4" {
		program = "etcdctl"
	}
	data := fmt.Sprintf("restored.%d", s.members)
	s.run(nil, program, "snapshot", "restore", snapshot, "--data-dir", data)
	return s.start(data)
}
