// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	kmsapi "k8s.io/kms/apis/v2"
)

// Requests that break a rule, each refused with its code; after all of them the daemon
// serves on.
func TestRules(t *testing.T) {
	n := newNode(t)
	c := n.raw("secrets")
	sealed := c.mustEncrypt(seed(1))
	cases := []struct {
		name string
		run  func() error
		code codes.Code
	}{
		{"encrypt_nothing", func() error { _, err := c.encrypt(nil); return err }, codes.InvalidArgument},
		{"encrypt_257_bytes", func() error { _, err := c.encrypt(make([]byte, 257)); return err }, codes.InvalidArgument},
		{"decrypt_nothing", c.decrypts(nil, sealed.KeyId), codes.InvalidArgument},
		{"decrypt_1025_bytes", c.decrypts(make([]byte, 1025), sealed.KeyId), codes.InvalidArgument},
		{"decrypt_1024_zeros", c.decrypts(make([]byte, 1024), sealed.KeyId), codes.InvalidArgument},
		{"unknown_format", c.decrypts(changed(sealed.Ciphertext, 0, 0xff), sealed.KeyId), codes.InvalidArgument},
		{"unknown_purpose", c.decrypts(changed(sealed.Ciphertext, 1, 0xff), sealed.KeyId), codes.InvalidArgument},
		{"unknown_mechanism", c.decrypts(changed(sealed.Ciphertext, 2, 0xff), sealed.KeyId), codes.InvalidArgument},
		{"truncated", c.decrypts(sealed.Ciphertext[:len(sealed.Ciphertext)-1], sealed.KeyId), codes.InvalidArgument},
		{"trailing_byte", c.decrypts(append(bytes.Clone(sealed.Ciphertext), 0), sealed.KeyId), codes.InvalidArgument},
		{"key_id_empty", c.decrypts(sealed.Ciphertext, ""), codes.InvalidArgument},
		{"key_id_with_NUL", c.decrypts(sealed.Ciphertext, sealed.KeyId+"\x00"), codes.InvalidArgument},
		{"key_id_1025_bytes", c.decrypts(sealed.Ciphertext, string(bytes.Repeat([]byte("k"), 1025))), codes.InvalidArgument},
		{"key_id_of_no_version", c.decrypts(sealed.Ciphertext, "kw1-9-0123456789abcdef01234567"), codes.NotFound},
		{"key_id_of_somebody_else", c.decrypts(sealed.Ciphertext, "projects-x-keys-y"), codes.NotFound},
		{"key_id_not_UTF-8", func() error { return c.sendDecrypt(sealed.Ciphertext, "\xff\xfe", nil) }, codes.InvalidArgument},
		{"annotation", func() error { return c.annotated(sealed, "a.example.com", []byte("1")) }, codes.InvalidArgument},
		{"empty_annotation", func() error { return c.annotated(sealed, "", nil) }, codes.InvalidArgument},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			in := *c
			in.t = t
			in.expect(k.run(), k.code)
		})
	}
	c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1))
}

func (c *rawClient) decrypts(ciphertext []byte, keyID string) func() error {
	return func() error {
		_, err := c.decrypt(ciphertext, keyID)
		return err
	}
}

func (c *rawClient) annotated(sealed *kmsapi.EncryptResponse, key string, text []byte) error {
	ctx, stop := call()
	defer stop()
	_, err := c.kms.Decrypt(ctx, &kmsapi.DecryptRequest{
		Ciphertext: sealed.Ciphertext, KeyId: sealed.KeyId, Uid: "conformance",
		Annotations: map[string][]byte{key: text},
	})
	return err
}

// sendDecrypt writes the message by hand: generated code would refuse to.
func (c *rawClient) sendDecrypt(ciphertext []byte, keyID string, more []byte) error {
	var m []byte
	m = protowire.AppendTag(m, 1, protowire.BytesType)
	m = protowire.AppendBytes(m, ciphertext)
	m = protowire.AppendTag(m, 3, protowire.BytesType)
	m = protowire.AppendString(m, keyID)
	_, err := c.send(service+"Decrypt", append(m, more...))
	return err
}

func changed(from []byte, at int, to byte) []byte {
	b := bytes.Clone(from)
	b[at] = to
	return b
}

func TestRules_sizes_at_the_edge__accepted(t *testing.T) {
	c := newNode(t).raw("secrets")
	for _, size := range []int{1, 16, 31, 32, 33, 255, 256} {
		plain := bytes.Repeat([]byte{byte(size)}, size)
		sealed := c.mustEncrypt(plain)
		if len(sealed.Ciphertext) > 1024 || bytes.Contains(sealed.Ciphertext, plain) && size > 1 {
			t.Errorf("%d bytes: ciphertext of %d bytes", size, len(sealed.Ciphertext))
		}
		c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, plain)
	}
}

// Whoever writes etcd can flip any bit of a ciphertext; none of them opens.
func TestRules_any_one_bit_changed__never_a_plaintext(t *testing.T) {
	n := newNode(t)
	c := n.raw("secrets")
	sealed := c.mustEncrypt(seed(1))
	c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1)) // the true one is cached
	// Many at once: each waits for a canary, which all share.
	outcomes := make(chan error, 8*len(sealed.Ciphertext))
	places := make(chan struct{}, 128)
	for bit := 0; bit < cap(outcomes); bit++ {
		flipped := bytes.Clone(sealed.Ciphertext)
		flipped[bit/8] ^= 1 << (bit % 8)
		places <- struct{}{}
		go func() {
			_, err := c.decrypt(flipped, sealed.KeyId)
			outcomes <- err
			<-places
		}()
	}
	for bit := 0; bit < cap(outcomes); bit++ {
		c.expect(<-outcomes, codes.InvalidArgument, codes.PermissionDenied)
	}
	for bit := 0; bit < 8*len(sealed.KeyId); bit++ {
		keyID := []byte(sealed.KeyId)
		keyID[bit/8] ^= 1 << (bit % 8)
		if bit%8 == 7 {
			continue // no UTF-8 any more: TestRules has it
		}
		_, err := c.decrypt(sealed.Ciphertext, string(keyID))
		c.expect(err, codes.NotFound, codes.InvalidArgument)
	}
	c.mustStatus()
	c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1))
}

func TestRules_ciphertext_of_another_scope__permission_denied(t *testing.T) {
	n := newNode(t)
	secrets, bulk := n.raw("secrets"), n.raw("bulk")
	sealed := secrets.mustEncrypt(seed(1))
	mark := n.daemon.log.mark()
	_, err := bulk.decrypt(sealed.Ciphertext, sealed.KeyId)
	bulk.expect(err, codes.PermissionDenied)
	n.daemon.await(t, mark, "scope-refused", "class_scope=bulk", "sealed_scope=secrets")
	other := bulk.mustEncrypt(seed(2))
	_, err = secrets.decrypt(other.Ciphertext, other.KeyId)
	secrets.expect(err, codes.PermissionDenied)
	// Renamed by hand, it is still sealed for the other.
	forged := bytes.Replace(other.Ciphertext, []byte("bulk"), []byte("secrets"), 1)
	forged[3] = byte(len("secrets"))
	_, err = secrets.decrypt(forged, other.KeyId)
	secrets.expect(err, codes.InvalidArgument)
}

// What is no KMS v2 call at all is refused, and costs nobody else anything.
func TestWire_garbage__refused_and_served_on(t *testing.T) {
	n := newNode(t)
	c := n.raw("secrets")
	for _, method := range []string{
		service + "Rotate", service, "/v1beta1.KeyManagementService/Version",
		"/v2.KeyManagementService", "/grpc.health.v1.Health/Check",
	} {
		if _, err := c.send(method, nil); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, method := range []string{"Encrypt", "Decrypt"} {
		if reply, err := c.send(service+method, []byte("\xff\xff\xff\xff no protobuf")); err == nil {
			t.Errorf("%s took garbage and answered %x", method, reply)
		}
		if _, err := c.send(service+method, make([]byte, 5<<20)); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%s of 5 MiB: %v", method, err)
		}
	}
	// 64 KiB of empty annotations would unpack to megabytes.
	empty := bytes.Repeat([]byte{4<<3 | 2, 0}, 32<<10)
	if err := c.sendDecrypt([]byte("x"), "kw1-1-x", empty); err == nil {
		t.Error("64 KiB of annotations were taken")
	}
	c.mustStatus()
}

// A later Kubernetes may send fields that keyward does not know.
func TestWire_unknown_fields__ignored(t *testing.T) {
	n := newNode(t)
	c := n.raw("secrets")
	var more []byte
	more = protowire.AppendTag(more, 77, protowire.BytesType)
	more = protowire.AppendString(more, "from the future")
	sealed := c.mustEncrypt(seed(1))
	must(t, c.sendDecrypt(sealed.Ciphertext, sealed.KeyId, more))
	_, err := c.send(service+"Status", more)
	must(t, err)
}

// grpc-go leaves in the middle of a call; the next one is served.
func TestWire_cancelled_calls__leave_nothing_behind(t *testing.T) {
	n := newNode(t)
	c := n.raw("secrets")
	for i := 0; i < 200; i++ {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			_, _ = c.kms.Encrypt(ctx, &kmsapi.EncryptRequest{Plaintext: seed(i), Uid: fmt.Sprint(i)})
			close(done)
		}()
		stop()
		<-done
	}
	sealed := c.mustEncrypt(seed(1))
	c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1))
}
