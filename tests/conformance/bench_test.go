// SPDX-License-Identifier: Apache-2.0

//go:build bench

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kmsapi "k8s.io/kms/apis/v2"
	kmsservice "k8s.io/kms/pkg/service"
)

// countingPlugin is a plugin as a Go programmer would write one, with nothing of ours in
// it.  It counts what it is asked, and every lie-th Decrypt gives a wrong seed.
type countingPlugin struct {
	kmsapi.UnimplementedKeyManagementServiceServer
	socket                       string
	lie                          int64 // 0: never
	statuses, encrypts, decrypts atomic.Int64
	lies, strangers              atomic.Int64
}

const annotation = "conformance.example.com/half"

func (p *countingPlugin) Status(context.Context, *kmsapi.StatusRequest) (*kmsapi.StatusResponse, error) {
	p.statuses.Add(1)
	return &kmsapi.StatusResponse{Version: "v2", Healthz: "ok", KeyId: "go-1"}, nil
}

// Half of the seed is the ciphertext and half an annotation: Decrypt needs both back.
func (p *countingPlugin) Encrypt(_ context.Context, r *kmsapi.EncryptRequest) (*kmsapi.EncryptResponse, error) {
	p.encrypts.Add(1)
	if r.Uid == "" || len(r.Plaintext) != 32 {
		p.strangers.Add(1)
	}
	return &kmsapi.EncryptResponse{Ciphertext: r.Plaintext[:16], KeyId: "go-1",
		Annotations: map[string][]byte{annotation: r.Plaintext[16:], "conformance.example.com/x": []byte("x")}}, nil
}

func (p *countingPlugin) Decrypt(_ context.Context, r *kmsapi.DecryptRequest) (*kmsapi.DecryptResponse, error) {
	n := p.decrypts.Add(1)
	if r.Uid == "" || r.KeyId != "go-1" || len(r.Annotations) != 2 {
		p.strangers.Add(1)
		return nil, status.Error(codes.InvalidArgument, "what Encrypt answered did not come back")
	}
	seed := append(bytes.Clone(r.Ciphertext), r.Annotations[annotation]...)
	if p.lie > 0 && n%p.lie == 0 {
		p.lies.Add(1)
		seed[31] ^= 1
	}
	return &kmsapi.DecryptResponse{Plaintext: seed}, nil
}

func newCountingPlugin(t *testing.T, lie int64) *countingPlugin {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyward-conf-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &countingPlugin{socket: filepath.Join(dir, "kms.sock"), lie: lie}
	listener, err := net.Listen("unix", p.socket)
	must(t, err)
	server := grpc.NewServer()
	kmsapi.RegisterKeyManagementServiceServer(server, p)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return p
}

// loadDocument is what keyward-bench load --json says.
type loadDocument struct {
	Good, Wrong, Failed, Missed, Replies int64
	Partial                              bool
	Proven                               int64
	NotProven                            int64 `json:"not_proven"`
	Sent                                 struct{ Status, Encrypt, Decrypt int64 }
	ByMethod                             map[string]struct{ Good, Wrong int64 } `json:"by_method"`
}

func (p *countingPlugin) load(t *testing.T, args ...string) (loadDocument, int) {
	t.Helper()
	return runLoad(t, p.socket, args...)
}

func runLoad(t *testing.T, socket string, args ...string) (loadDocument, int) {
	t.Helper()
	program := filepath.Join(os.Getenv("KEYWARD_BIN"), "keyward-bench")
	cmd := exec.Command(program, append([]string{"load", socket, "--json"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var document loadDocument
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatalf("keyward-bench load: %v\n%s%s", err, &out, &errs)
	}
	return document, cmd.ProcessState.ExitCode()
}

// What the measuring program says it did is what a plugin that is not ours saw.
func TestBench_load_on_a_Go_plugin__both_count_the_same(t *testing.T) {
	p := newCountingPlugin(t, 0)
	d, code := p.load(t, "--mix", "decrypt:7,encrypt:2,status:1", "--calls", "3000", "--warmup", "100ms",
		"--connections", "3", "--in-flight", "24", "--ciphertexts", "zipf:50:0.99")
	if code != 0 || d.Partial {
		t.Fatalf("exit status %d: %+v", code, d)
	}
	if d.Replies != 3000 || d.Good != 3000 || d.Wrong+d.Failed+d.Missed+d.NotProven != 0 {
		t.Errorf("not everything was good: %+v", d)
	}
	var byMethod int64
	for _, m := range d.ByMethod {
		byMethod += m.Good
	}
	if byMethod != 3000 || len(d.ByMethod) != 3 {
		t.Errorf("the methods together are not all: %+v", d.ByMethod)
	}
	if d.Proven == 0 {
		t.Error("nothing that was encrypted was decrypted again")
	}
	saw := loadDocument{}.Sent
	saw.Status, saw.Encrypt, saw.Decrypt = p.statuses.Load(), p.encrypts.Load(), p.decrypts.Load()
	if saw != d.Sent {
		t.Errorf("the plugin saw %+v, load says %+v", saw, d.Sent)
	}
	if n := p.strangers.Load(); n != 0 {
		t.Errorf("%d calls were not as kube-apiserver's are", n)
	}
}

func TestBench_load_on_a_plugin_that_lies__every_lie_found(t *testing.T) {
	p := newCountingPlugin(t, 10)
	d, code := p.load(t, "--calls", "500", "--warmup", "0s", "--in-flight", "1")
	if code != 1 {
		t.Errorf("exit status %d", code)
	}
	if lies := p.lies.Load(); d.Wrong != lies || lies != 50 || d.Good != 450 {
		t.Errorf("%d lies, load found %+v", lies, d)
	}
}

// The measuring program and the API server's own client ask the same of keywardd, which
// counts the same for both: calls, and those that its cache answered.
func TestBench_load_and_the_API_servers_client__keywardd_counts_the_same(t *testing.T) {
	const seeds = 40
	n := newNode(t)
	service := n.client("bulk", "bench-agreement", 10*time.Second)
	start := n.classStatus("bulk")
	decryptTwice(t, service, seeds)
	between := n.classStatus("bulk")
	d, code := runLoad(t, n.socket("bulk"), "--yes", "--ciphertexts", fmt.Sprint("distinct:", seeds),
		"--calls", fmt.Sprint(2*seeds), "--in-flight", "1", "--warmup", "0s")
	end := n.classStatus("bulk")
	if code != 0 || d.Good != 2*seeds {
		t.Fatalf("exit status %d: %+v", code, d)
	}
	type counts struct{ encrypts, decrypts, hits int }
	byClient := counts{between.EncryptCalls - start.EncryptCalls, between.DecryptCalls - start.DecryptCalls,
		between.Cache.Hits - start.Cache.Hits}
	byLoad := counts{end.EncryptCalls - between.EncryptCalls, end.DecryptCalls - between.DecryptCalls,
		end.Cache.Hits - between.Cache.Hits}
	if want := (counts{seeds, 2 * seeds, seeds}); byClient != want || byLoad != want {
		t.Errorf("the API server's client made %+v, load %+v, both should %+v", byClient, byLoad, want)
	}
}

// decryptTwice encrypts so many seeds and asks for each of them twice.
func decryptTwice(t *testing.T, service kmsservice.Service, seeds int) {
	t.Helper()
	ctx := context.Background()
	sealed := make([]*kmsservice.EncryptResponse, seeds)
	for i := range sealed {
		reply, err := service.Encrypt(ctx, fmt.Sprint("e", i), seed(i))
		must(t, err)
		sealed[i] = reply
	}
	for k := range 2 * seeds {
		i := k % seeds
		plain, err := service.Decrypt(ctx, fmt.Sprint("d", k), &kmsservice.DecryptRequest{
			Ciphertext: sealed[i].Ciphertext, KeyID: sealed[i].KeyID, Annotations: sealed[i].Annotations})
		must(t, err)
		if !bytes.Equal(plain, seed(i)) {
			t.Fatalf("seed %d came back as another", i)
		}
	}
}
