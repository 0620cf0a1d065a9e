// SPDX-License-Identifier: Apache-2.0

//go:build providers

package cluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/storage/value"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	"k8s.io/kms/pkg/service"
)

// contender is a provider that is compared; of a KMS row `start` starts the plugin and gives
// its provider's words.
type contender struct {
	name     string
	provider string
	start    func(c *cluster) (provider, socket string)
}

const aesKey = "keys: [{name: one, secret: aW4gbm8gd2F5IGEgc2VjcmV0IGtleSwgdGVzdHMgb24=}]"

var contenders = []contender{
	{name: "identity", provider: identity},
	{name: "aescbc", provider: "aescbc: {" + aesKey + "}"},
	{name: "aesgcm", provider: "aesgcm: {" + aesKey + "}"},
	{name: "secretbox", provider: "secretbox: {" + aesKey + "}"},
	{name: "KMS v2, keyward", start: func(c *cluster) (string, string) {
		c.start("keyward")
		return c.kms("secrets"), c.path("keyward/run/secrets.sock")
	}},
	{name: "KMS v2, Go plugin", start: startPeer},
}

const peerPin = "73914680"

// startPeer runs bench/peer's plugin on a SoftHSM token of its own.
func startPeer(c *cluster) (provider, socket string) {
	t := c.t
	t.Helper()
	conf, pin, socket := c.path("peer.conf"), c.path("peer.pin"), c.path("peer.sock")
	must(t, os.Mkdir(c.path("peer.tokens"), 0o700))
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+c.path("peer.tokens")+"\nlog.level = ERROR\n"), 0o600))
	must(t, os.WriteFile(pin, []byte(peerPin+"\n"), 0o600))
	init := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "peer", "--pin", peerPin, "--so-pin", peerPin)
	init.Env = append(os.Environ(), "SOFTHSM2_CONF="+conf)
	if said, err := init.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, said)
	}
	cmd := exec.Command(filepath.Join(setting(t, "KEYWARD_BIN"), "keyward-bench-peer"),
		"--module", "/usr/lib/softhsm/libsofthsm2.so", "--token", "peer", "--pin", pin, socket)
	cmd.Env, cmd.Stderr = init.Env, os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the plugin said %q: %v", line, err)
	}
	return fmt.Sprintf("kms: {apiVersion: v2, name: peer, endpoint: %q, timeout: 3s}", "unix://"+socket), socket
}

// figures are what one cluster of one provider gave, in milliseconds.
type figures map[string]float64

func timed(do func()) float64 {
	begin := time.Now()
	do()
	return float64(time.Since(begin).Microseconds()) / 1000
}

// measure makes a cluster of the provider; objects are 1,000, and 10,000 where large.
func measure(t *testing.T, k contender, large bool) figures {
	c := prepareCluster(t)
	provider, socket := k.provider, ""
	if k.start != nil {
		provider, socket = k.start(c)
	}
	c.writeConfiguration(configuration(provider))
	c.start("etcd", "kube-apiserver")
	f := figures{}
	fill := func(from, to int) float64 {
		return timed(func() {
			must(t, each(to-from, func(i int) error { return c.create(fmt.Sprintf("s%d", from+i)) }))
		}) / float64(to-from)
	}
	list := func() float64 {
		const times = 5
		return timed(func() {
			for range times {
				all, err := c.kube.CoreV1().Secrets("default").List(nothing, metav1.ListOptions{})
				must(t, err)
				if len(all.Items) < 1000 {
					t.Fatalf("a list of %d", len(all.Items))
				}
			}
		}) / times
	}
	fill(0, 100) // warm
	f["create"] = fill(100, 1000)
	f["get"] = timed(func() { must(t, each(1000, func(i int) error { return c.read(fmt.Sprintf("s%d", i)) })) }) / 1000
	f["list of 1,000"] = list()
	ready := func() float64 {
		c.stop("kube-apiserver")
		return timed(func() { c.start("kube-apiserver") })
	}
	f["restart, 1 seed"] = ready()
	if socket != "" {
		c.stop("kube-apiserver")
		c.reseed(socket)
		f["restart, 1,000 seeds"] = timed(func() { c.start("kube-apiserver") })
		c.mustRead("s0", "s999")
	}
	if large {
		fill(1000, 10000)
		f["list of 10,000"] = list()
	}
	return f
}

// reseed writes each Secret anew under a seed of its own, by the API server's own code.
func (c *cluster) reseed(socket string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	name := "keyward-secrets"
	if filepath.Base(socket) == "peer.sock" {
		name = "peer"
	}
	plugin, err := kmsv2.NewGRPCService(ctx, "unix://"+socket, name, 3*time.Second)
	must(c.t, err)
	prefix := []byte("k8s:enc:kms:v2:" + name + ":")
	state := newState(c.t, ctx, plugin, name)
	transformer := kmsv2.NewEnvelopeTransformer(plugin, name, func() (kmsv2.State, error) { return state, nil }, "cluster")
	for key, stored := range c.inEtcd(secrets) {
		at := value.DefaultContext(key)
		plain, _, err := transformer.TransformFromStorage(ctx, bytes.TrimPrefix(stored, prefix), at)
		must(c.t, err)
		state = newState(c.t, ctx, plugin, name)
		text, err := transformer.TransformToStorage(ctx, plain, at)
		must(c.t, err)
		c.put(key, append(bytes.Clone(prefix), text...))
	}
}

// newState is what an API server has from one Encrypt on.
func newState(t *testing.T, ctx context.Context, plugin service.Service, name string) kmsv2.State {
	t.Helper()
	transformer, object, cacheKey, err := kmsv2.GenerateTransformer(ctx, rand.Text(), plugin, true)
	must(t, err)
	return kmsv2.State{Transformer: transformer, EncryptedObjectKeyID: object.KeyID,
		EncryptedObjectEncryptedDEKSource: object.EncryptedDEKSource, EncryptedObjectAnnotations: object.Annotations,
		EncryptedObjectEncryptedDEKSourceType: object.EncryptedDEKSourceType, UID: rand.Text(),
		ExpirationTimestamp: time.Now().Add(time.Hour), CacheKey: cacheKey, KMSProviderName: name}
}

// All providers by turns, in each round in another order; what they cost against identity.
func TestProviders_compared(t *testing.T) {
	rounds, err := strconv.Atoi(setting(t, "KEYWARD_ROUNDS"))
	must(t, err)
	large := os.Getenv("KEYWARD_LARGE") != ""
	all := make([][]figures, len(contenders)) // by contender, then round
	for round := range rounds {
		for turn := range contenders {
			i := (round + turn) % len(contenders)
			t.Run(fmt.Sprintf("round %d %s", round+1, contenders[i].name), func(t *testing.T) {
				all[i] = append(all[i], measure(t, contenders[i], large))
			})
		}
	}
	if !t.Failed() {
		printTable(all)
	}
}
