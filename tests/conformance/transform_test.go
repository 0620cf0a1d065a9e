// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
)

// The very file that keyward init wrote, byte for byte.
func TestInit_its_EncryptionConfiguration__loads_and_is_healthy(t *testing.T) {
	n := newNode(t)
	a := &apiServer{t: t, secrets: "keyward-secrets", bulk: "keyward-bulk"}
	a.load(n.encryptionConfiguration())
	must(t, a.check())
	for _, resource := range resources {
		stored := a.mustWrite(resource, "demo", "hello")
		a.object(resource, stored)
		if a.mustRead(resource, "demo", stored, "hello") {
			t.Errorf("%s: fresh data is stale", resource)
		}
	}
	if len(a.loaded.Transformers) != 2 {
		t.Errorf("%d resources are transformed", len(a.loaded.Transformers))
	}
}

func TestRoundTrip__what_is_stored_names_key_and_scope(t *testing.T) {
	n := newNode(t)
	a := n.startAPIServer()
	must(t, a.check())
	for _, resource := range resources {
		keyID := n.raw(class(resource)).mustStatus()
		object := a.object(resource, a.mustWrite(resource, "demo", "hello"))
		if object.KeyID != keyID {
			t.Errorf("%s: stored key_id %q, Status says %q", resource, object.KeyID, keyID)
		}
		if object.EncryptedDEKSourceType != kmstypes.EncryptedDEKSourceType_HKDF_SHA256_XNONCE_AES_GCM_SEED {
			t.Errorf("%s: type %v", resource, object.EncryptedDEKSourceType)
		}
		if len(object.Annotations) != 0 {
			t.Errorf("%s: annotations %v", resource, object.Annotations)
		}
		if !bytes.Contains(object.EncryptedDEKSource, []byte(class(resource))) {
			t.Errorf("%s: the ciphertext does not name its scope", resource)
		}
	}
}

func TestRoundTrip_other_etcd_key_or_changed__refused(t *testing.T) {
	n := newNode(t)
	a := n.startAPIServer()
	for _, resource := range resources {
		stored := a.mustWrite(resource, "demo", "hello")
		if _, _, err := a.read(resource, "other", stored); err == nil {
			t.Errorf("%s: an object that was moved opens", resource)
		}
		stored[len(stored)-10] ^= 1
		if _, _, err := a.read(resource, "demo", stored); err == nil {
			t.Errorf("%s: a changed object opens", resource)
		}
	}
}

// What one class sealed does not open through the other, though the key is the same.
func TestRoundTrip_moved_to_the_other_provider__refused(t *testing.T) {
	n := newNode(t)
	a, b := n.startAPIServer(), n.startAPIServer()
	stored := a.mustWrite("secrets", "demo", "hello")
	moved := bytes.Replace(stored, []byte(a.secrets), []byte(b.bulk), 1)
	mark := n.daemon.log.mark()
	_, _, err := b.read("configmaps", "demo", moved)
	if err == nil || !strings.Contains(err.Error(), "PermissionDenied") {
		t.Errorf("a secret read as a configmap: %v", err)
	}
	n.daemon.await(t, mark, "scope-refused", "class=bulk", "sealed_scope=secrets")
}

// An API server with an empty cache asks keyward once per seed, not once per object.
func TestRestartedAPIServer__reads_through_one_Decrypt(t *testing.T) {
	n := newNode(t)
	a := n.startAPIServer()
	for _, resource := range resources {
		var stored [5][]byte
		for i := range stored {
			stored[i] = a.mustWrite(resource, "demo", fmt.Sprint("text ", i))
		}
		before := n.classStatus(class(resource)).DecryptCalls
		b := n.startAPIServerAs(a.suffix())
		must(t, b.check())
		for i := range stored {
			if b.mustRead(resource, "demo", stored[i], fmt.Sprint("text ", i)) {
				t.Errorf("%s: stale under the same key_id", resource)
			}
		}
		if calls := n.classStatus(class(resource)).DecryptCalls - before; calls != 1 {
			t.Errorf("%s: %d Decrypts for one seed", resource, calls)
		}
	}
}

func TestRestartedPlugin__same_key_id_old_data_opens(t *testing.T) {
	n := newNode(t)
	a := n.startAPIServer()
	keyID := n.raw("secrets").mustStatus()
	stored := a.mustWrite("secrets", "demo", "hello")
	n.stop()
	n.start()
	if again := n.raw("secrets").mustStatus(); again != keyID {
		t.Errorf("key_id was %q and is %q", keyID, again)
	}
	b := n.startAPIServerAs(a.suffix())
	must(t, b.check())
	if b.mustRead("secrets", "demo", stored, "hello") {
		t.Error("stale under the same key_id")
	}
	// The one that kept running finds its plugin again.
	eventually(t, "health after the restart", a.check)
	a.mustWrite("secrets", "demo", "again")
}

// kube-apiserver may be up long before its plugin.
func TestLatePlugin__the_API_server_recovers(t *testing.T) {
	n := prepareNode(t)
	a := n.startAPIServer()
	if a.check() == nil {
		t.Error("healthy without a plugin")
	}
	if _, err := a.write("secrets", "demo", "hello"); err == nil {
		t.Error("wrote without a plugin")
	}
	n.start()
	eventually(t, "health", a.check)
	stored := a.mustWrite("secrets", "demo", "hello")
	a.mustRead("secrets", "demo", stored, "hello")
}

// Sockets answer before the HSM does: no token, and yet a prompt and plain refusal.
func TestNoToken__sockets_answer_and_recover(t *testing.T) {
	n := prepareNode(t)
	must(t, os.Rename(n.path("tokens"), n.path("tokens.away")))
	n.startOnly()
	c := n.raw("secrets")
	if _, err := c.status(); err == nil {
		t.Error("Status is ok without a token")
	} else {
		c.plain(grpcMessage(err))
	}
	a := n.startAPIServer()
	if a.check() == nil {
		t.Error("healthy without a token")
	}
	must(t, os.Rename(n.path("tokens.away"), n.path("tokens")))
	eventually(t, "health", a.check)
	stored := a.mustWrite("secrets", "demo", "hello")
	if text, _, err := n.startAPIServerAs(a.suffix()).read("secrets", "demo", stored); err != nil || text != "hello" {
		t.Error(errors.Join(err, fmt.Errorf("read %q", text)))
	}
}
