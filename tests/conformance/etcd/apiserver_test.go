// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/apiserver/pkg/storage/value"
	"k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	"k8s.io/client-go/kubernetes/scheme"
	kmsapi "k8s.io/kms/apis/v2"
	kmsservice "k8s.io/kms/pkg/service"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// storedAs is how keyward etcd audit calls a way to store.
type storedAs struct {
	Kind     string
	Provider string
	KeyID    string
	Type     int // of KMS v2
}

var inClear = storedAs{Kind: "plain-protobuf"}

// apiServer writes objects into a member as kube-apiserver does under one configuration.
type apiServer struct {
	m      *member
	ledger *ledger
	as     storedAs // what its first provider makes
	of     func(schema.GroupResource) value.Transformer
}

// provider is one of an EncryptionConfiguration.
type provider struct {
	text string
	as   storedAs
}

var (
	identity  = provider{"identity: {}", inClear}
	aescbc    = keyed("aescbc", "cbc-key", 32)
	aesgcm    = keyed("aesgcm", "gcm-key", 32)
	secretbox = keyed("secretbox", "box-key", 32)
)

func keyed(kind, key string, size int) provider {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(kind[len(kind)-1:]), size))
	return provider{fmt.Sprintf("%s: {keys: [{name: %s, secret: %s}]}", kind, key, secret),
		storedAs{Kind: kind, Provider: key}}
}

// kms is a KMS v2 provider that a fake plugin serves: what it wraps is plain to see.
func (s *site) kms(name, keyID string) provider {
	s.t.Helper()
	socket := s.path(name + "." + keyID)
	listener, err := net.Listen("unix", socket)
	must(s.t, err)
	plugin := grpc.NewServer()
	kmsapi.RegisterKeyManagementServiceServer(plugin, kmsservice.NewGRPCService(socket, 3*time.Second, fakeKMS(keyID)))
	ended := make(chan error, 1)
	go func() { ended <- plugin.Serve(listener) }()
	s.t.Cleanup(func() {
		plugin.Stop()
		if err := <-ended; err != nil {
			s.t.Errorf("the fake KMS: %v", err)
		}
	})
	return provider{fmt.Sprintf("kms: {apiVersion: v2, name: %s, endpoint: \"unix://%s\", timeout: 3s}", name, socket),
		storedAs{Kind: "kms-v2", Provider: name, KeyID: keyID, Type: 1}}
}

type fakeKMS string

func (k fakeKMS) Status(context.Context) (*kmsservice.StatusResponse, error) {
	return &kmsservice.StatusResponse{Version: "v2", Healthz: "ok", KeyID: string(k)}, nil
}

func (k fakeKMS) Encrypt(_ context.Context, _ string, data []byte) (*kmsservice.EncryptResponse, error) {
	return &kmsservice.EncryptResponse{KeyID: string(k), Ciphertext: []byte(hex.EncodeToString(data))}, nil
}

func (k fakeKMS) Decrypt(_ context.Context, _ string, request *kmsservice.DecryptRequest) ([]byte, error) {
	return hex.DecodeString(string(request.Ciphertext))
}

// rule is an entry of an EncryptionConfiguration.
type rule struct {
	resources string
	providers []provider
}

// configure writes an EncryptionConfiguration for secrets and the custom resource widgets.
func (s *site) configure(name string, providers ...provider) string {
	s.t.Helper()
	return s.configureRules(name, rule{"secrets, widgets.example.com", providers})
}

func (s *site) configureRules(name string, rules ...rule) string {
	s.t.Helper()
	text := "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
	for _, r := range rules {
		text += "- resources: [" + r.resources + "]\n  providers:\n"
		for _, p := range r.providers {
			text += "  - " + p.text + "\n"
		}
	}
	must(s.t, os.WriteFile(s.path(name), []byte(text), 0o600))
	return name
}

// apiServer is a kube-apiserver under the configuration; its first provider writes.
func (m *member) apiServer(l *ledger, providers ...provider) *apiServer {
	m.s.t.Helper()
	a := m.apiServerOf(l, m.s.configure(fmt.Sprintf("of-%s-%d.yaml", providers[0].as.Kind, len(providers)), providers...))
	a.as = providers[0].as
	return a
}

// apiServerOf is one under the configuration in the file.
func (m *member) apiServerOf(l *ledger, file string) *apiServer {
	t := m.s.t
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	loaded, err := encryptionconfig.LoadEncryptionConfig(ctx, m.s.path(file), false, "server")
	must(t, err)
	for _, check := range loaded.HealthChecks { // the first one fetches the seed
		must(t, check.Check(httptest.NewRequest("GET", "/healthz/kms-providers", nil)))
	}
	return &apiServer{m: m, ledger: l,
		of: encryptionconfig.StaticTransformers(loaded.Transformers).TransformerForResource}
}

// before129 wrote KMS v2 values of type 0, with a key instead of a seed.
func (m *member) before129(l *ledger, name, keyID string) *apiServer {
	m.s.t.Helper()
	t, object, cacheKey, err := kmsv2.GenerateTransformer(context.Background(), "uid", fakeKMS(keyID), false)
	must(m.s.t, err)
	state := kmsv2.State{Transformer: t, EncryptedObjectKeyID: object.KeyID, CacheKey: cacheKey,
		EncryptedObjectEncryptedDEKSource: object.EncryptedDEKSource, EncryptedObjectAnnotations: object.Annotations,
		EncryptedObjectEncryptedDEKSourceType: object.EncryptedDEKSourceType,
		ExpirationTimestamp:                   time.Now().Add(time.Hour), KMSProviderName: name}
	return m.prefixed(l, storedAs{Kind: "kms-v2", Provider: name, KeyID: keyID}, "k8s:enc:kms:v2:"+name+":",
		kmsv2.NewEnvelopeTransformer(fakeKMS(keyID), name, func() (kmsv2.State, error) { return state, nil }, "server"))
}

// kmsV1 is what Kubernetes deprecated in 1.28.
func (m *member) kmsV1(l *ledger, name string) *apiServer {
	return m.prefixed(l, storedAs{Kind: "kms-v1", Provider: name}, "k8s:enc:kms:v1:"+name+":",
		envelope.NewEnvelopeTransformer(fakeKMS1{}, 10, func(block cipher.Block) (value.Transformer, error) {
			return aes.NewGCMTransformer(block)
		}))
}

type fakeKMS1 struct{}

func (fakeKMS1) Encrypt(data []byte) ([]byte, error) { return []byte(hex.EncodeToString(data)), nil }
func (fakeKMS1) Decrypt(data []byte) ([]byte, error) { return hex.DecodeString(string(data)) }

func (m *member) prefixed(l *ledger, as storedAs, prefix string, t value.Transformer) *apiServer {
	all := value.NewPrefixTransformers(nil, value.PrefixTransformer{Prefix: []byte(prefix), Transformer: t})
	return &apiServer{m: m, ledger: l, as: as, of: func(schema.GroupResource) value.Transformer { return all }}
}

// secret is the stored form of a Secret; its password tells it from others.
func secret(t *testing.T, name string, size int) []byte {
	t.Helper()
	password := fmt.Appendf(nil, "planted in %s ", name)
	stored, err := encode("Secret", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Data: map[string][]byte{"password": bytes.Repeat(password, size/len(password)+1)}})
	must(t, err)
	return stored
}

// encode gives the stored form of an object of the core group.
func encode(kind string, object runtime.Object) ([]byte, error) {
	object.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	var out bytes.Buffer
	err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &out)
	return out.Bytes(), err
}

// put creates or updates secrets of small size.
func (a *apiServer) put(names ...string) {
	a.m.s.t.Helper()
	for _, name := range names {
		must(a.m.s.t, a.write("/registry/secrets/default/"+name, a.as, secret(a.m.s.t, name, 200)))
	}
}

// putWidget creates or updates a custom resource, which is stored as JSON.
func (a *apiServer) putWidget(name string) {
	a.m.s.t.Helper()
	as := a.as
	if as == inClear {
		as.Kind = "plain-json"
	}
	text := fmt.Sprintf(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":%q,"namespace":"default"}}`+"\n", name)
	must(a.m.s.t, a.write("/registry/example.com/widgets/default/"+name, as, []byte(text)))
}

// write encrypts an object for its key and puts it with the transaction that kube-apiserver
// uses: only when the key is as it was seen last, or is not there.
func (a *apiServer) write(key string, as storedAs, object []byte) error {
	stored, err := a.of(resourceOf(key)).TransformToStorage(context.Background(), object, value.DefaultContext(key))
	if err != nil {
		return err
	}
	return a.ledger.put(a.m, key, as, stored)
}

// read is the object below a key, whether an update would write it anew, and its revision.
func (a *apiServer) read(key string, stored []byte) (object []byte, stale bool, err error) {
	return a.of(resourceOf(key)).TransformFromStorage(context.Background(), stored, value.DefaultContext(key))
}

// otherPrefix is another --etcd-prefix than kube-apiserver has without one.
const otherPrefix = "/kubernetes.io/site 1"

func resourceOf(key string) schema.GroupResource {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(key, "/registry/"), otherPrefix+"/"), "/")
	if strings.Contains(parts[0], ".") {
		return schema.GroupResource{Group: parts[0], Resource: parts[1]}
	}
	return schema.GroupResource{Resource: parts[0]}
}

// list is everything below a prefix.
func (m *member) list(prefix string) map[string][]byte {
	m.s.t.Helper()
	got, err := m.client.List(context.Background(), prefix, kubernetes.ListOptions{})
	must(m.s.t, err)
	found := map[string][]byte{}
	for _, kv := range got.Kvs {
		found[string(kv.Key)] = kv.Value
	}
	return found
}
