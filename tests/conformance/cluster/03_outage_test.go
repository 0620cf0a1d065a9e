// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kms "k8s.io/kms/apis/v2"
)

// mustSay is of an API request that must fail with this in its words.
func mustSay(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, part := range words {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

// olderSeeds leaves an API server that has neither of the two seeds that it gives a Secret's
// and two ConfigMaps' values of: known, which the daemon's caches have, and other.
type olderSeeds struct{ secret, known, other []byte }

const goneMap = maps + "gone"

func (c *cluster) olderSeeds() (o olderSeeds) {
	c.t.Helper()
	o.secret, o.known = c.underOwnSeed()
	_, o.other = c.underOwnSeed()
	c.restart("kube-apiserver")
	must(c.t, c.decrypt("secrets", o.secret))
	must(c.t, c.decrypt("bulk", o.known))
	return o
}

// underOwnSeed starts the API server anew, as what it stores of itself lies under its first
// seed, and gives two values that are in etcd no more.
func (c *cluster) underOwnSeed() (secret, aMap []byte) {
	c.t.Helper()
	c.restart("kube-apiserver")
	c.mustCreate("gone")
	must(c.t, c.createMap("gone"))
	secret, aMap = c.inEtcd(secrets + "gone")[secrets+"gone"], c.inEtcd(goneMap)[goneMap]
	must(c.t, c.kube.CoreV1().Secrets("default").Delete(nothing, "gone", deletion))
	must(c.t, c.kube.CoreV1().ConfigMaps("default").Delete(nothing, "gone", deletion))
	return secret, aMap
}

var deletion = metav1.DeleteOptions{}

// put stores a value past the API server.
func (c *cluster) put(key string, value []byte) {
	c.t.Helper()
	_, err := c.etcd.Put(nothing, key, string(value))
	must(c.t, err)
}

func (c *cluster) take(key string) {
	c.t.Helper()
	_, err := c.etcd.Delete(nothing, key)
	must(c.t, err)
}

// mustStatus asks a class past the API server.
func (c *cluster) mustStatus(class string, want codes.Code) {
	c.t.Helper()
	_, err := c.direct(class).Status(nothing, &kms.StatusRequest{})
	if status.Code(err) != want {
		c.t.Errorf("Status of class %s: %v, not %v", class, err, want)
	}
}

// 03: the table of README, "What the user sees when the HSM is lost", row by row, in its
// order; the row about a restarted API server is 04's.
func Test03_outage__each_row_of_README(t *testing.T) {
	c := prepareCluster(t)
	c.edit("keyward/keyward.yaml", "max-outage: 15m", "max-outage: 30s")
	c.start("etcd", "keyward", "kube-apiserver")
	c.mustCreate("before")
	must(t, c.createMap("before"))
	older := c.olderSeeds()
	c.loseHSM()

	// Writes go on under the present seed, for three minutes.
	c.mustCreate("soon-after")
	must(t, c.createMap("soon-after"))
	// Status
	c.mustStatus("secrets", codes.Unavailable)
	c.mustStatus("bulk", codes.OK)
	c.setAhead(4 * time.Minute)
	eventually(t, "readyz is red, for secrets alone", func() error {
		err := c.probe("/readyz/kms-providers")
		if err == nil || !strings.Contains(err.Error(), "kms-provider-0: ") {
			return fmt.Errorf("it says %v", err)
		}
		if strings.Contains(err.Error(), "kms-provider-1: ") {
			t.Fatalf("bulk is red too: %v", err)
		}
		return nil
	})
	// writes
	mustSay(t, c.create("late"), "encryptedDEKSource with keyID hash \"sha256:", "expired at")
	eventually(t, "ConfigMaps are written on", func() error { _ = c.probe("/readyz"); return c.createMap("late") })
	// reads of seeds that the API server holds
	c.mustRead("before", "soon-after")
	must(t, c.readMap("before"))
	// reads of other seeds
	c.put(goneMap, older.known)
	must(t, c.readMap("gone"))
	c.put(goneMap, older.other)
	mustSay(t, c.readMap("gone"), "code = Unavailable")
	c.take(goneMap)
	c.put(secrets+"gone", older.secret)
	mustSay(t, c.read("gone"), "failed to decrypt DEK, error: rpc error: code = Unavailable")
	c.take(secrets + "gone")
	// keyward's cache
	if n := c.class("secrets").Cache.Entries; n != 0 {
		t.Errorf("fail-closed keeps %d seeds", n)
	}

	// The budget's end is bulk's loss.
	eventually(t, "the budget is spent", func() error {
		if s := c.class("bulk"); s.Budget != 0 || s.Cache.Entries != 0 {
			return fmt.Errorf("left: %d ms, and %d seeds", s.Budget, s.Cache.Entries)
		}
		return nil
	})
	c.mustStatus("bulk", codes.Unavailable)
	if err := c.decrypt("bulk", older.known); status.Code(err) != codes.Unavailable {
		t.Errorf("a seed is served when the budget is spent: %v", err)
	}
	must(t, c.createMap("within-three-minutes"))
	c.setAhead(8 * time.Minute)
	mustSay(t, c.createMap("after-three-minutes"), "expired at")
	must(t, c.readMap("late"))

	c.restoreHSM()
	eventually(t, "readyz after the outage", func() error { return c.probe("/readyz") })
	// A good answer of before the clock was moved counts for 20 s.
	eventually(t, "Secrets are written", func() error { _ = c.probe("/readyz"); return c.create("after") })
	eventually(t, "ConfigMaps are written", func() error { _ = c.probe("/readyz"); return c.createMap("after") })
	c.mustRead("before", "soon-after", "after")
	c.put(secrets+"gone", older.secret)
	c.mustRead("gone")
}
