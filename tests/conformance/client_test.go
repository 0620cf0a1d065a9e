// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	kmsservice "k8s.io/kms/pkg/service"
)

// client is the API server's own client of one provider.
func (n *node) client(class, provider string, timeout time.Duration) kmsservice.Service {
	n.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	n.t.Cleanup(stop)
	service, err := kmsv2.NewGRPCService(ctx, "unix://"+n.socket(class), provider, timeout)
	must(n.t, err)
	return service
}

// Every form of :authority that a kube-apiserver since 1.27 sends, and some that none does.
func TestInterop_authority_of_any_form__all_calls_served(t *testing.T) {
	n := newNode(t)
	for i, authority := range []string{
		"localhost", "%2Frun%2Fkeyward%2Fsecrets.sock", "/run/keyward/secrets.sock",
		"@secrets.sock", "127.0.0.1:443", "no host",
	} {
		c := n.dial("secrets", authority)
		keyID := c.mustStatus()
		sealed := c.mustEncrypt(seed(i))
		if sealed.KeyId != keyID {
			t.Errorf("%s: Encrypt says %q, Status %q", authority, sealed.KeyId, keyID)
		}
		c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(i))
	}
}

// Equal plaintexts must not look equal.
func TestEncrypt_the_same_twice__different_ciphertexts(t *testing.T) {
	c := newNode(t).raw("secrets")
	seen := map[string]bool{}
	for i := 0; i < 100; i++ {
		reply := c.mustEncrypt(seed(1))
		if seen[string(reply.Ciphertext)] || bytes.Contains(reply.Ciphertext, seed(1)) {
			t.Fatalf("ciphertext %d was seen before, or is none", i)
		}
		if len(reply.Annotations) != 0 {
			t.Fatalf("annotations: %v", reply.Annotations)
		}
		seen[string(reply.Ciphertext)] = true
	}
}

// 100 at once, through the API server's own client and one connection.
func TestConcurrency_100_encrypt_and_decrypt__each_its_own(t *testing.T) {
	n := newNode(t)
	service := n.client("secrets", "concurrency-100", 10*time.Second)
	failures := make(chan error, 100)
	var all sync.WaitGroup
	for i := 0; i < 100; i++ {
		all.Go(func() {
			ctx := context.Background()
			sealed, err := service.Encrypt(ctx, fmt.Sprint("e", i), seed(i))
			if err != nil {
				failures <- err
				return
			}
			plain, err := service.Decrypt(ctx, fmt.Sprint("d", i), &kmsservice.DecryptRequest{
				Ciphertext: sealed.Ciphertext, KeyID: sealed.KeyID, Annotations: sealed.Annotations})
			if err == nil && !bytes.Equal(plain, seed(i)) {
				err = fmt.Errorf("%d: somebody else's seed", i)
			}
			if err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

// Ten reads that miss at once send ten equal Decrypts.
func TestConcurrency_10_equal_decrypts__all_answered(t *testing.T) {
	n := newNode(t)
	service := n.client("secrets", "concurrency-10", 3*time.Second)
	sealed, err := service.Encrypt(context.Background(), "e", seed(1))
	must(t, err)
	failures := make(chan error, 10)
	var all sync.WaitGroup
	for i := 0; i < 10; i++ {
		all.Go(func() {
			plain, err := service.Decrypt(context.Background(), fmt.Sprint(i), &kmsservice.DecryptRequest{
				Ciphertext: sealed.Ciphertext, KeyID: sealed.KeyID})
			if err == nil && !bytes.Equal(plain, seed(1)) {
				err = fmt.Errorf("%d: other bytes", i)
			}
			if err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if calls := n.classStatus("secrets").DecryptCalls; calls != 10 {
		t.Errorf("%d Decrypts were counted", calls)
	}
}

// A call that is made while the plugin is away succeeds when it is back in time.
func TestIntermittentPlugin__a_waiting_call_succeeds(t *testing.T) {
	n := newNode(t)
	service := n.client("secrets", "intermittent", 60*time.Second)
	ctx := context.Background()
	sealed, err := service.Encrypt(ctx, "before", seed(1))
	must(t, err)
	n.stop()
	ended := make(chan error, 1)
	go func() {
		plain, err := service.Decrypt(ctx, "while away", &kmsservice.DecryptRequest{
			Ciphertext: sealed.Ciphertext, KeyID: sealed.KeyID})
		if err == nil && !bytes.Equal(plain, seed(1)) {
			err = fmt.Errorf("other bytes")
		}
		ended <- err
	}()
	n.start()
	must(t, <-ended)
}

// The client's timeout ends a call, not the plugin.
func TestShortTimeout__the_plugin_stays_usable(t *testing.T) {
	n := newNode(t)
	hasty := n.client("secrets", "hasty", time.Microsecond)
	for i := 0; i < 20; i++ {
		if _, err := hasty.Encrypt(context.Background(), "hasty", seed(i)); err == nil {
			t.Error("a microsecond was enough")
		}
	}
	service := n.client("secrets", "patient", 3*time.Second)
	reply, err := service.Status(context.Background())
	must(t, err)
	if reply.Healthz != "ok" || reply.Version != "v2" {
		t.Errorf("Status: %+v", reply)
	}
}
