// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/apiserver/pkg/storage/value"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
)

// apiServer is what kube-apiserver makes of an EncryptionConfiguration: connections,
// providers that it polls, and a transformer for each resource.
type apiServer struct {
	t      *testing.T
	loaded *encryptionconfig.EncryptionConfiguration
	// the providers' names
	secrets, bulk string
}

var servers atomic.Int32

// startAPIServer loads the EncryptionConfiguration that keyward init wrote, under
// provider names that no other test has: the client keeps its clocks by them.
func (n *node) startAPIServer() *apiServer {
	n.t.Helper()
	unique := fmt.Sprintf("-%s-%d", strings.ToLower(strings.ReplaceAll(n.t.Name(), "/", "-")), servers.Add(1))
	return n.startAPIServerAs(unique)
}

// startAPIServerAs starts one whose providers have the names of an earlier one: the same
// API server after a restart, or another of the same cluster.
func (n *node) startAPIServerAs(suffix string) *apiServer {
	n.t.Helper()
	text, err := os.ReadFile(n.encryptionConfiguration())
	must(n.t, err)
	a := &apiServer{t: n.t, secrets: "keyward-secrets" + suffix, bulk: "keyward-bulk" + suffix}
	text = bytes.ReplaceAll(text, []byte("name: keyward-secrets"), []byte("name: "+a.secrets))
	text = bytes.ReplaceAll(text, []byte("name: keyward-bulk"), []byte("name: "+a.bulk))
	file := fmt.Sprintf("%s.%d", n.encryptionConfiguration(), servers.Add(1))
	must(n.t, os.WriteFile(file, text, 0o644))
	a.load(file)
	return a
}

func (a *apiServer) suffix() string { return strings.TrimPrefix(a.secrets, "keyward-secrets") }

func (a *apiServer) load(file string) {
	a.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	a.t.Cleanup(stop)
	loaded, err := encryptionconfig.LoadEncryptionConfig(ctx, file, false, fmt.Sprintf("server-%d", servers.Add(1)))
	must(a.t, err)
	a.loaded = loaded
}

// check is one GET of /healthz/kms-providers.
func (a *apiServer) check() error {
	if len(a.loaded.HealthChecks) != 1 {
		return fmt.Errorf("%d health checks", len(a.loaded.HealthChecks))
	}
	return a.loaded.HealthChecks[0].Check(httptest.NewRequest("GET", "/healthz/kms-providers", nil))
}

func (a *apiServer) transformer(resource string) value.Transformer {
	a.t.Helper()
	r := schema.GroupResource{Resource: resource}
	if a.loaded.Transformers[r] == nil {
		a.t.Fatalf("no transformer for %s", resource)
	}
	return encryptionconfig.StaticTransformers(a.loaded.Transformers).TransformerForResource(r)
}

// etcdKey is where an object lies, and what it is bound to.
func etcdKey(resource, name string) value.Context {
	return value.DefaultContext("/registry/" + resource + "/default/" + name)
}

// write gives the object's value as etcd would store it.
func (a *apiServer) write(resource, name, text string) ([]byte, error) {
	return a.transformer(resource).TransformToStorage(context.Background(), []byte(text), etcdKey(resource, name))
}

func (a *apiServer) mustWrite(resource, name, text string) []byte {
	a.t.Helper()
	stored, err := a.write(resource, name, text)
	must(a.t, err)
	return stored
}

// read opens a stored value; stale says that an update would write it anew.
func (a *apiServer) read(resource, name string, stored []byte) (text string, stale bool, err error) {
	plain, stale, err := a.transformer(resource).TransformFromStorage(context.Background(), stored, etcdKey(resource, name))
	return string(plain), stale, err
}

// mustRead opens a stored value that must be `want`, and says whether it is stale.
func (a *apiServer) mustRead(resource, name string, stored []byte, want string) (stale bool) {
	a.t.Helper()
	text, stale, err := a.read(resource, name, stored)
	must(a.t, err)
	if text != want {
		a.t.Fatalf("read %q, stored was %q", text, want)
	}
	return stale
}

// provider is the name that stored values of the resource carry.
func (a *apiServer) provider(resource string) string {
	if resource == "secrets" {
		return a.secrets
	}
	return a.bulk
}

// object takes a stored value apart as the API server does.
func (a *apiServer) object(resource string, stored []byte) *kmstypes.EncryptedObject {
	a.t.Helper()
	prefix := []byte("k8s:enc:kms:v2:" + a.provider(resource) + ":")
	if !bytes.HasPrefix(stored, prefix) {
		a.t.Fatalf("stored value begins %q, not %q", stored[:min(len(stored), 60)], prefix)
	}
	object := &kmstypes.EncryptedObject{}
	must(a.t, proto.Unmarshal(stored[len(prefix):], object))
	must(a.t, kmsv2.ValidateEncryptedObject(object))
	return object
}

// shiftClock moves the API server's clock of both providers.
func (a *apiServer) shiftClock(by time.Duration) {
	for _, name := range []string{a.secrets, a.bulk} {
		a.t.Cleanup(kmsv2.SetNowFuncForTests(name, func() time.Time { return time.Now().Add(by) }))
	}
}

// class is the class of keyward that a resource goes through.
func class(resource string) string {
	if resource == "secrets" {
		return "secrets"
	}
	return "bulk"
}

var resources = []string{"secrets", "configmaps"}
