// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

// The whole table of docs/ARCHITECTURE.md through the eyes of an API server: secrets fail
// closed, bulk serves what it has.
func TestOutage__secrets_fail_closed_bulk_serves_on(t *testing.T) {
	n := newNode(t)
	secrets, bulk := n.raw("secrets"), n.raw("bulk")
	keyID := bulk.mustStatus()
	a := n.startAPIServer()
	secret := a.mustWrite("secrets", "demo", "secret")
	config := a.mustWrite("configmaps", "demo", "config")

	// One read through Decrypt fills keyward's caches, one seed stays unknown to them.
	warm := n.startAPIServerAs(a.suffix())
	warm.mustRead("secrets", "demo", secret, "secret")
	warm.mustRead("configmaps", "demo", config, "config")
	known := a.object("configmaps", config)
	knownSecret := a.object("secrets", secret)
	unknown := bulk.mustEncrypt(seed(1))

	n.loseHSM()

	_, err := secrets.status()
	secrets.expect(err, codes.Unavailable)
	_, err = secrets.encrypt(seed(2))
	secrets.expect(err, codes.Unavailable)
	_, err = secrets.decrypt(knownSecret.EncryptedDEKSource, keyID)
	secrets.expect(err, codes.Unavailable)
	if entries := n.classStatus("secrets").Cache.Entries; entries != 0 {
		t.Errorf("fail-closed keeps %d seeds", entries)
	}
	if bulk.mustStatus() != keyID {
		t.Error("serve-cached changed its key_id")
	}
	_, err = bulk.encrypt(seed(3))
	bulk.expect(err, codes.Unavailable)
	if _, err = bulk.decrypt(known.EncryptedDEKSource, keyID); err != nil {
		t.Errorf("serve-cached does not serve what it has: %v", err)
	}
	_, err = bulk.decrypt(unknown.Ciphertext, keyID)
	bulk.expect(err, codes.Unavailable)

	// An API server that starts now reads nothing, and says why.
	late := n.startAPIServerAs(a.suffix())
	for _, resource := range resources {
		if _, _, err := late.read(resource, "demo", a.mustStored(resource, secret, config)); err == nil {
			t.Errorf("a new API server reads %s without an HSM", resource)
		}
	}

	// The running one: red at its next poll, for secrets alone.
	a.shiftClock(4 * time.Minute)
	eventually(t, "the health check is red", func() error {
		err := a.check()
		if err == nil {
			return fmt.Errorf("still green")
		}
		if !strings.Contains(err.Error(), "kms-provider-0") || strings.Contains(err.Error(), "kms-provider-1") {
			t.Fatalf("not secrets alone: %v", err)
		}
		return nil
	})
	if _, err := a.write("secrets", "demo", "new"); err == nil || !strings.Contains(err.Error(), "expired at") {
		t.Errorf("writes of secrets go on: %v", err)
	}
	a.mustRead("secrets", "demo", secret, "secret")
	eventually(t, "writes of configmaps go on", func() error {
		_ = a.check()
		_, err := a.write("configmaps", "demo", "new")
		return err
	})

	n.restoreHSM()
	eventually(t, "health after the outage", a.check)
	if a.mustRead("secrets", "demo", a.mustWrite("secrets", "demo", "after"), "after") {
		t.Error("stale though the key_id is the same")
	}
	eventually(t, "the API server that started meanwhile", late.check)
	late.mustRead("secrets", "demo", secret, "secret")
	late.mustRead("configmaps", "demo", config, "config")
}

func (a *apiServer) mustStored(resource string, secret, config []byte) []byte {
	if resource == "secrets" {
		return secret
	}
	return config
}

// A worker that hangs costs the calls it holds, not the others.
func TestHungWorkers__Status_answers_calls_end_and_go_on(t *testing.T) {
	n := newNode(t)
	raw := n.raw("secrets")
	sealed := raw.mustEncrypt(seed(1))
	pids := n.workers()
	for _, pid := range pids {
		must(t, kill(pid, stopped))
	}
	ended := make(chan error, 1)
	go func() {
		_, err := raw.decrypt(sealed.Ciphertext, sealed.KeyId)
		ended <- err
	}()
	raw.mustStatus() // on the same connection, while the Decrypt hangs
	err := <-ended
	if err != nil {
		raw.expect(err, codes.DeadlineExceeded, codes.Unavailable)
	}
	eventually(t, "the next Decrypt", func() error {
		_, err := raw.decrypt(sealed.Ciphertext, sealed.KeyId)
		return err
	})
	for _, pid := range pids {
		_ = kill(pid, resumed) // those that were not replaced yet
	}
	raw.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1))
}

// A killed worker is replaced, and nobody gets a wrong answer.
func TestKilledWorkers__replaced_every_answer_right(t *testing.T) {
	n := newNode(t)
	raw := n.raw("secrets")
	for round := 0; round < 5; round++ {
		sealed := raw.mustEncrypt(seed(round)) // no cache knows it
		mark := n.daemon.log.mark()
		for _, pid := range n.workers() {
			must(t, kill(pid, killed))
		}
		eventually(t, "an answer", func() error {
			plain, err := raw.decrypt(sealed.Ciphertext, sealed.KeyId)
			if err == nil && string(plain) != string(seed(round)) {
				t.Fatal("a wrong answer")
			}
			return err
		})
		first := n.daemon.await(t, mark, "worker-ready")
		n.daemon.await(t, first, "worker-ready")
	}
}
