// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
)

// One operator's rotation as two API servers live it: one keeps running, one restarts.
func TestRotation__stale_then_fresh(t *testing.T) {
	n := newNode(t)
	a := n.startAPIServer()
	raw := n.raw("secrets")
	first := raw.mustStatus()
	old := a.mustWrite("secrets", "demo", "hello")

	n.addVersion("2")
	if raw.mustStatus() != first {
		t.Fatal("accepting a version moved key_id")
	}
	if a.mustRead("secrets", "demo", old, "hello") {
		t.Fatal("stale before the rotation")
	}
	n.activate("2")
	eventually(t, "key_id of version 2", func() error {
		if reply, err := raw.status(); err != nil || reply.KeyId == first {
			return fmt.Errorf("%v, %v", reply, err)
		}
		return nil
	})
	second := raw.mustStatus()

	// The running one sees it with its next poll.
	eventually(t, "stale in the running API server", func() error {
		if err := a.check(); err != nil {
			return err
		}
		if !a.mustRead("secrets", "demo", old, "hello") {
			return fmt.Errorf("not stale")
		}
		return nil
	})
	fresh := a.mustWrite("secrets", "demo", "hello")
	if a.mustRead("secrets", "demo", fresh, "hello") {
		t.Error("stale after it was rewritten")
	}
	if got := a.object("secrets", fresh).KeyID; got != second {
		t.Errorf("rewritten under %q, Status says %q", got, second)
	}
	if bytes.Equal(a.object("secrets", fresh).EncryptedDEKSource, a.object("secrets", old).EncryptedDEKSource) {
		t.Error("rewritten under the old seed")
	}

	// The restarted one opens both.
	b := n.startAPIServerAs(a.suffix())
	must(t, b.check())
	if !b.mustRead("secrets", "demo", old, "hello") {
		t.Error("old data is not stale for the restarted API server")
	}
	if b.mustRead("secrets", "demo", fresh, "hello") {
		t.Error("fresh data is stale for the restarted API server")
	}

	// A ciphertext belongs to its own version.
	o := a.object("secrets", old)
	_, err := raw.decrypt(o.EncryptedDEKSource, second)
	raw.expect(err, codes.InvalidArgument)
}

// Status and Encrypt must agree, also while the key is being changed: an Encrypt that
// races the change may differ once.
func TestRotation_under_alternating_calls__at_most_one_differs(t *testing.T) {
	n := newNode(t)
	raw := n.raw("secrets")
	differ, seen := 0, map[string]bool{}
	alternate := func(times int) {
		for i := 0; i < times; i++ {
			keyID := raw.mustStatus()
			reply := raw.mustEncrypt(seed(i))
			seen[keyID], seen[reply.KeyId] = true, true
			if reply.KeyId != keyID {
				differ++
			}
			if i%10 == 0 {
				raw.mustDecrypt(reply.Ciphertext, reply.KeyId, seed(i))
			}
		}
	}
	alternate(300)
	if differ != 0 || len(seen) != 1 {
		t.Fatalf("%d of 300 differ, %d key_ids", differ, len(seen))
	}
	n.addVersion("2")
	mark := n.daemon.log.mark()
	n.tool("key", "activate", "2", "--only-copy", "--now", "--config", n.config)
	must(t, n.daemon.signal(hangup))
	for len(seen) == 1 {
		alternate(1)
	}
	alternate(300)
	if differ > 1 {
		t.Errorf("%d Encrypts differ from the Status before them", differ)
	}
	if len(seen) != 2 {
		t.Errorf("%d key_ids were seen", len(seen))
	}
	n.daemon.await(t, mark, "keyring-loaded")
}
