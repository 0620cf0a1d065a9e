// SPDX-License-Identifier: Apache-2.0

// Package cluster runs the real keywardd, with SoftHSM behind it, under a real
// kube-apiserver with a real etcd, all started by ci/cluster.  Each test has a cluster of its
// own, and counts on both sides: what the API server says that it called, and what the daemon
// says that it answered.
//
// The environment names what is run: KEYWARD_BIN is the folder of keyward, keywardd and
// keyward-hsm, KEYWARD_SOURCE the clone, with kube-apiserver in build/kube.
package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"keyward/conformance/common"
)

// cluster is one folder of ci/cluster's.
type cluster struct {
	t    *testing.T
	dir  string
	kube *kubernetes.Clientset
	etcd *clientv3.Client
}

// A few seconds where an operator has half a minute, so that a loss of the HSM is one soon.
const quickHSM = "hsm:\n  suspect: 3s\n  recover: 1s\n  probe: {every: 1s, stale-after: 10s}\n"

// newCluster is one whose three parts serve.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := prepareCluster(t)
	c.start("etcd", "keyward", "kube-apiserver")
	return c
}

// prepareCluster does everything but start the parts.
func prepareCluster(t *testing.T, options ...string) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyward-cl-") // short: a socket's path has 107 bytes
	must(t, err)
	c := &cluster{t: t, dir: dir}
	c.run(setting(t, "KEYWARD_SOURCE")+"/ci/cluster", append([]string{"prepare", "--state", dir,
		"--bin", setting(t, "KEYWARD_BIN"), "--until", strconv.Itoa(os.Getpid())}, options...)...)
	t.Cleanup(func() {
		if t.Failed() {
			for _, part := range []string{"keyward", "kube-apiserver"} {
				t.Logf("%s.log ends:\n%s", part, tail(c.log(part), 4000))
			}
		}
		c.ci("down")
	})
	if _, err := os.Stat(c.path("keyward")); err == nil {
		c.edit("keyward/keyward.yaml", "hsm:\n", quickHSM)
		c.edit("keyward/keyward.yaml", "  copies: none\n", "  copies: none\n  deadline: 1200ms\n") // a busy disk is no test's matter
	}
	c.connect()
	return c
}

// connect makes clients of both servers, which need not be there yet.
func (c *cluster) connect() {
	c.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.path("kubeconfig"))
	if os.IsNotExist(err) || strings.Contains(fmt.Sprint(err), "apiserver.crt") {
		return // kube-apiserver makes its certificate when it first starts
	}
	must(c.t, err)
	config.QPS = -1 // the API server's own pace
	c.kube, err = kubernetes.NewForConfig(config)
	must(c.t, err)
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set", name)
	}
	return value
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) log(part string) string {
	text, err := os.ReadFile(c.path(part + ".log"))
	if err != nil {
		return ""
	}
	return string(text)
}

func tail(text string, size int) string { return text[max(0, len(text)-size):] }

// ci runs a verb of ci/cluster on this folder; it must succeed.
func (c *cluster) ci(verb string, args ...string) {
	c.t.Helper()
	c.run(setting(c.t, "KEYWARD_SOURCE")+"/ci/cluster", append([]string{verb, "--state", c.dir}, args...)...)
}

func (c *cluster) start(args ...string) {
	c.t.Helper()
	c.ci("start", args...)
	if c.kube == nil {
		c.connect()
	}
	if c.etcd == nil {
		c.connectEtcd()
	}
}

func (c *cluster) stop(parts ...string) { c.t.Helper(); c.ci("stop", parts...) }

func (c *cluster) restart(part string, options ...string) {
	c.t.Helper()
	c.stop(part)
	c.start(append([]string{part}, options...)...)
}

func (c *cluster) connectEtcd() {
	c.t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{c.variable("ETCDCTL_ENDPOINTS")}, Logger: zap.NewNop()})
	must(c.t, err)
	c.etcd = client
	c.t.Cleanup(func() { client.Close() })
}

// variable is one of the file env.
func (c *cluster) variable(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(c.path("env"))
	must(c.t, err)
	for _, word := range strings.Fields(string(text)) {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	c.t.Fatalf("env has no %s:\n%s", name, text)
	return ""
}

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PATH="+c.path("bin")+":/usr/sbin:/usr/bin:/sbin:/bin", "KUBECONFIG="+c.path("kubeconfig"), "HOME="+c.path("home"))
	return cmd
}

// run runs a program that must succeed, and gives what it said.
func (c *cluster) run(program string, args ...string) string {
	c.t.Helper()
	cmd := c.command(program, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, &said)
	}
	return said.String()
}

// keyward runs the operator's tool on this cluster's configuration.
func (c *cluster) keyward(args ...string) string {
	c.t.Helper()
	return c.run(c.path("bin/keyward"), append(args, "--config", c.path("keyward/keyward.yaml"))...)
}

func (c *cluster) edit(file, old, new string) {
	c.t.Helper()
	text, err := os.ReadFile(c.path(file))
	must(c.t, err)
	if strings.Count(string(text), old) != 1 {
		c.t.Fatalf("%s: %q is not there exactly once:\n%s", file, old, text)
	}
	must(c.t, os.WriteFile(c.path(file), bytes.Replace(text, []byte(old), []byte(new), 1), 0o644))
}

// inEtcd are the stored values below a key, by key.
func (c *cluster) inEtcd(prefix string) map[string][]byte {
	c.t.Helper()
	got, err := c.etcd.Get(context.Background(), prefix, clientv3.WithPrefix())
	must(c.t, err)
	values := map[string][]byte{}
	for _, kv := range got.Kvs {
		values[string(kv.Key)] = kv.Value
	}
	return values
}

// filesWith are the files of etcd's folder that hold the text, as it is or in base64.
func (c *cluster) filesWith(text string) (files []string) {
	c.t.Helper()
	forms := spellings(text)
	must(c.t, filepath.WalkDir(c.path("etcd"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		bytesOf, err := os.ReadFile(path)
		for _, form := range forms {
			if bytes.Contains(bytesOf, form) {
				files = append(files, path)
				break
			}
		}
		return err
	}))
	return files
}

var must, eventually = common.Must, common.Eventually
