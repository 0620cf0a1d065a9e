// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// Called kubectl, this program is a small one, of the two commands that a rewrite takes.
// It speaks with the apiServer of the test that put it into PATH.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "kubectl" {
		os.Exit(m.Run())
	}
	if err := kubectl(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl:", err)
		os.Exit(1)
	}
}

func kubectl(args []string) error {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", os.Getenv("KUBE_SOCKET"))
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	var response *http.Response
	var err error
	switch said := strings.Join(args, " "); {
	case len(args) == 5 && args[0] == "get" && strings.HasSuffix(said, " --all-namespaces -o json"):
		response, err = client.Get("http://kube/" + args[1])
	case said == "replace -f -":
		response, err = client.Post("http://kube/", "application/json", os.Stdin)
	default:
		return fmt.Errorf("%q is more than this one can do", said)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %w", response.Status, err)
	}
	return nil
}

// serveKubectl puts kubectl into the site's PATH, as this API server's.
func (a *apiServer) serveKubectl() {
	s := a.m.s
	s.t.Helper()
	self, err := os.Executable()
	must(s.t, err)
	s.link("kubectl", self)
	listener, err := net.Listen("unix", s.path("kube.sock"))
	must(s.t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if r.Method == http.MethodGet {
			err = a.getAll(w, r.URL.Path[1:])
		} else {
			err = a.replaceAll(r.Body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(func() { server.Close() })
}

type items struct {
	Kind  string           `json:"kind"`
	Items []map[string]any `json:"items"`
}

func (a *apiServer) getAll(w io.Writer, resource string) error {
	prefix := "/registry/" + resource + "/"
	if plural, group, custom := strings.Cut(resource, "."); custom {
		prefix = "/registry/" + group + "/" + plural + "/"
	}
	got, err := a.m.client.List(context.Background(), prefix, kubernetes.ListOptions{})
	if err != nil {
		return err
	}
	all := items{Kind: "List", Items: []map[string]any{}}
	for _, kv := range got.Kvs {
		object, _, err := a.read(string(kv.Key), kv.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", kv.Key, err)
		}
		item, err := toJSON(object)
		if err != nil {
			return err
		}
		item["metadata"].(map[string]any)["resourceVersion"] = strconv.FormatInt(kv.ModRevision, 10)
		all.Items = append(all.Items, item)
	}
	return json.NewEncoder(w).Encode(all)
}

// replaceAll writes what changed, and what its first provider did not write.
func (a *apiServer) replaceAll(body io.Reader) error {
	var all items
	if err := json.NewDecoder(body).Decode(&all); err != nil {
		return err
	}
	for _, item := range all.Items {
		meta := item["metadata"].(map[string]any)
		version := meta["resourceVersion"]
		delete(meta, "resourceVersion") // it is not stored
		key, as := "/registry/secrets/", a.as
		if item["kind"] == "Widget" {
			key = "/registry/example.com/widgets/"
		}
		key += fmt.Sprintf("%s/%s", meta["namespace"], meta["name"])
		object, err := toStored(item)
		if err != nil {
			return err
		}
		kv, err := a.m.client.Get(context.Background(), key, kubernetes.GetOptions{})
		if err != nil || kv.KV == nil || strconv.FormatInt(kv.KV.ModRevision, 10) != version {
			return fmt.Errorf("%s was changed since version %s: %w", key, version, err)
		}
		before, stale, err := a.read(key, kv.KV.Value)
		if err == nil && (stale || !bytes.Equal(before, object)) {
			err = a.write(key, as, object)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func toJSON(object []byte) (map[string]any, error) {
	item := map[string]any{}
	if object[0] == '{' {
		return item, json.Unmarshal(object, &item)
	}
	decoded, _, err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Decode(object, nil, nil)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		return nil, err
	}
	return item, json.Unmarshal(text, &item)
}

func toStored(item map[string]any) ([]byte, error) {
	text, err := json.Marshal(item)
	if err != nil || item["kind"] != "Secret" {
		return append(text, '\n'), err
	}
	var object corev1.Secret
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	return encode("Secret", &object)
}
