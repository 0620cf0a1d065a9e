// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
	kmsapi "k8s.io/kms/apis/v2"
)

// cluster is an etcd whose objects keyward's three classes seal.
type cluster struct {
	n       *node
	m       *member
	ledger  *ledger
	config  string
	written map[string][]byte // the objects, by their keys
}

// classOf is what seals the objects of each resource.
var classOf = map[string]string{"secrets": "secrets", "configmaps": "bulk", "widgets.example.com": "custom"}

func (s *site) newCluster() *cluster {
	s.t.Helper()
	c := &cluster{n: s.newNode(), m: s.start("data"), ledger: newLedger(), written: map[string][]byte{}}
	c.config = s.configureRules("encryption.yaml", c.rules()...)
	return c
}

func (c *cluster) rules() (rules []rule) {
	for _, resource := range []string{"secrets", "configmaps", "widgets.example.com"} {
		rules = append(rules, rule{resource, []provider{c.n.class(classOf[resource])}})
	}
	return rules
}

// put creates or updates n objects of each resource through an API server that has just
// been started; the KEK version is the one that it must seal under.
func (c *cluster) put(version, n int, prefix string) {
	t := c.m.s.t
	t.Helper()
	a, keyID := c.m.apiServerOf(c.ledger, c.config), c.n.keyID(version)
	for _, name := range names(prefix, n) {
		for key, object := range map[string][]byte{
			"/registry/secrets/default/" + name:             secret(t, name, 200),
			"/registry/configmaps/default/" + name:          configMap(t, name),
			"/registry/example.com/widgets/default/" + name: widget(name),
		} {
			as := c.n.class(classOf[resourceOf(key).String()]).as
			as.KeyID = keyID
			must(t, a.write(key, as, object))
			c.written[key] = object
		}
	}
}

func configMap(t *testing.T, name string) []byte {
	t.Helper()
	stored, err := encode("ConfigMap", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Data: map[string]string{"address": "planted in " + name}})
	must(t, err)
	return stored
}

func widget(name string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":%q,"namespace":"default"},`+
		`"spec":{"code":"planted in %s"}}`+"\n", name, name)
}

// mustHold says that a member holds the objects, and that an API server opens each one.
func (c *cluster) mustHold(m *member) {
	t := m.s.t
	t.Helper()
	a, got := m.apiServerOf(c.ledger, c.config), m.list("/registry/")
	for key, want := range c.written {
		object, _, err := a.read(key, got[key])
		if err != nil || !bytes.Equal(object, want) {
			t.Errorf("%s is %q, not %q: %v", key, object, want, err)
		}
	}
	if len(got) != len(c.written) {
		t.Errorf("%d keys, written were %d", len(got), len(c.written))
	}
}

// seed is a wrapped seed and who has it.
type seed struct {
	provider, keyID string
	wrapped         []byte
	objects         int // current ones under it
}

// seeds are those of a member's objects, by how the report calls them.
func (c *cluster) seeds() map[string]seed {
	t := c.m.s.t
	t.Helper()
	seeds := map[string]seed{}
	for key, stored := range c.m.list("/registry/") {
		as := c.ledger.last[key].as
		_, sealed, found := bytes.Cut(stored, []byte("k8s:enc:kms:v2:"+as.Provider+":"))
		object := &kmstypes.EncryptedObject{}
		if !found {
			t.Fatalf("%s begins %q", key, stored[:min(60, len(stored))])
		}
		must(t, proto.Unmarshal(sealed, object))
		must(t, kmsv2.ValidateEncryptedObject(object))
		if object.KeyID != as.KeyID {
			t.Fatalf("%s is sealed under %s, not %s", key, object.KeyID, as.KeyID)
		}
		digest := sha256.Sum256(object.EncryptedDEKSource)
		name := hex.EncodeToString(digest[:8])
		seeds[name] = seed{as.Provider, as.KeyID, object.EncryptedDEKSource, seeds[name].objects + 1}
	}
	return seeds
}

// openAll asks the daemon what the seeds are.
func (n *node) openAll(seeds map[string]seed) (plain [][]byte) {
	n.s.t.Helper()
	for _, wrapped := range seeds {
		seed := n.open(strings.TrimPrefix(wrapped.provider, "keyward-"), wrapped)
		if len(seed) < 32 {
			n.s.t.Fatalf("a seed of %d bytes", len(seed))
		}
		plain = append(plain, seed)
	}
	return plain
}

func (n *node) open(class string, s seed) []byte {
	n.s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///keyward", grpc.WithAuthority("localhost"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", n.socket(class))
		}))
	must(n.s.t, err)
	defer conn.Close()
	reply, err := kmsapi.NewKeyManagementServiceClient(conn).Decrypt(context.Background(),
		&kmsapi.DecryptRequest{Ciphertext: s.wrapped, KeyId: s.keyID, Uid: "ring"})
	must(n.s.t, err)
	return reply.Plaintext
}

// mustTellNothing ends the daemon, and says that neither the objects nor the seeds stand in
// what was said, in keyward's own files, or in the files that are named.
func (c *cluster) mustTellNothing(seeds [][]byte, files ...string) {
	s := c.m.s
	s.t.Helper()
	c.n.stop()
	forms := map[string][]byte{}
	for i, text := range append([][]byte{[]byte("planted in ")}, seeds...) {
		forms[fmt.Sprintf("%d as it is", i)] = text
		forms[fmt.Sprintf("%d in hex", i)] = []byte(hex.EncodeToString(text))
		forms[fmt.Sprintf("%d in hex, great", i)] = fmt.Appendf(nil, "%X", text)
		for shift := range 3 { // what bytes before it would make of it, less the edges
			shifted := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
			forms[fmt.Sprintf("%d in base64, %d", i, shift)] = []byte(shifted[4 : len(shifted)-2])
		}
	}
	told := map[string][]byte{"what was said": s.said.Bytes()}
	must(s.t, filepath.WalkDir(s.path("node"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	}))
	for _, file := range files {
		if !filepath.IsAbs(file) {
			file = s.path(file)
		}
		text, err := os.ReadFile(file)
		must(s.t, err)
		told[file] = text
	}
	for where, text := range told {
		for what, form := range forms {
			if bytes.Contains(text, form) {
				s.t.Errorf("%s tells plaintext %s", where, what)
			}
		}
	}
}
