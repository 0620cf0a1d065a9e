// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	kmsapi "k8s.io/kms/apis/v2"
)

// rawClient breaks the rules that the API server's own client keeps.
type rawClient struct {
	t    *testing.T
	n    *node
	conn *grpc.ClientConn
	kms  kmsapi.KeyManagementServiceClient
}

// dial connects as kube-apiserver does, under any :authority.
func (n *node) dial(class, authority string) *rawClient {
	n.t.Helper()
	c := dialSocket(n.t, n.socket(class), authority)
	c.n = n
	return c
}

// dialSocket connects to any plugin.
func dialSocket(t *testing.T, socket, authority string) *rawClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithAuthority(authority),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return &rawClient{t: t, conn: conn, kms: kmsapi.NewKeyManagementServiceClient(conn)}
}

func (n *node) raw(class string) *rawClient {
	n.t.Helper()
	return n.dial(class, "localhost")
}

// call is the timeout that kube-apiserver gives a call.
func call() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 3*time.Second)
}

func (c *rawClient) status() (*kmsapi.StatusResponse, error) {
	ctx, stop := call()
	defer stop()
	return c.kms.Status(ctx, &kmsapi.StatusRequest{})
}

func (c *rawClient) encrypt(seed []byte) (*kmsapi.EncryptResponse, error) {
	ctx, stop := call()
	defer stop()
	return c.kms.Encrypt(ctx, &kmsapi.EncryptRequest{Plaintext: seed, Uid: "conformance"})
}

func (c *rawClient) decrypt(ciphertext []byte, keyID string) ([]byte, error) {
	ctx, stop := call()
	defer stop()
	reply, err := c.kms.Decrypt(ctx, &kmsapi.DecryptRequest{Ciphertext: ciphertext, KeyId: keyID, Uid: "conformance"})
	if err != nil {
		return nil, err
	}
	return reply.Plaintext, nil
}

// mustStatus wants the one answer that the API server calls healthy, and gives key_id.
func (c *rawClient) mustStatus() string {
	c.t.Helper()
	reply, err := c.status()
	must(c.t, err)
	if reply.Version != "v2" || reply.Healthz != "ok" || reply.KeyId == "" {
		c.t.Fatalf("Status: %v", reply)
	}
	return reply.KeyId
}

func (c *rawClient) mustEncrypt(seed []byte) *kmsapi.EncryptResponse {
	c.t.Helper()
	reply, err := c.encrypt(seed)
	must(c.t, err)
	return reply
}

func (c *rawClient) mustDecrypt(ciphertext []byte, keyID string, want []byte) {
	c.t.Helper()
	plain, err := c.decrypt(ciphertext, keyID)
	must(c.t, err)
	if string(plain) != string(want) {
		c.t.Fatal("Decrypt gave other bytes than were encrypted")
	}
}

// expect wants a refusal with one of the codes, whose text may reach any user of the API:
// it says who speaks, and nothing of paths, keys or the token.
func (c *rawClient) expect(err error, allowed ...codes.Code) {
	c.t.Helper()
	got := status.Convert(err)
	for _, code := range allowed {
		if got.Code() == code {
			c.plain(got.Message())
			c.reassures(got)
			return
		}
	}
	c.t.Fatalf("answered %v %q, wanted %v", got.Code(), got.Message(), allowed)
}

func (c *rawClient) plain(message string) {
	c.t.Helper()
	for _, leak := range []string{c.n.base, "/", "CKR_", "C_", "slot", "PIN", "kw1-", "softhsm"} {
		if strings.Contains(message, leak) {
			c.t.Fatalf("an error text tells users %q: %q", leak, message)
		}
	}
	if !strings.HasPrefix(message, "keyward: ") {
		c.t.Fatalf("an error text does not say who speaks: %q", message)
	}
}

// reassures: Kubernetes lets a user delete what "cannot be read", so a refusal that is no
// fault of the request says that the data is intact.
func (c *rawClient) reassures(got *status.Status) {
	c.t.Helper()
	switch got.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.NotFound, codes.PermissionDenied:
		if !strings.Contains(got.Message(), "the data is intact") {
			c.t.Fatalf("%v does not say that the data is intact: %q", got.Code(), got.Message())
		}
	default:
	}
}

// bytesCodec sends and receives messages as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	message, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T", v)
	}
	return message, nil
}

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

const service = "/v2.KeyManagementService/"

// send calls any method with any bytes.
func (c *rawClient) send(method string, message []byte) ([]byte, error) {
	ctx, stop := call()
	defer stop()
	var reply []byte
	err := c.conn.Invoke(ctx, method, message, &reply, grpc.ForceCodec(bytesCodec{}))
	return reply, err
}

// seed is 32 bytes as the API server sends them, and different each time.
func seed(i int) []byte {
	s := []byte(fmt.Sprintf("seed %027d", i))
	if len(s) != 32 {
		panic("a seed has 32 bytes")
	}
	return s
}

func grpcMessage(err error) string { return status.Convert(err).Message() }
