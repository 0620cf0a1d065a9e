// SPDX-License-Identifier: Apache-2.0

// Package etcd runs keyward etcd audit on what real members of etcd wrote, with values
// that kube-apiserver's own code (k8s.io/apiserver) made.
//
// The environment names the programs: KEYWARD_BIN is the folder that holds keyward,
// keywardd and keyward-hsm, KEYWARD_ETCD the version of etcd, 3.4 (Debian's, in /usr/bin)
// or 3.6 (built from its module into the folder KEYWARD_ETCD_BIN).  Each test starts
// members of its own, on sockets in its own folder.
package etcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.uber.org/zap"

	"keyward/conformance/common"
)

// site is a test's folder, and what an operator finds in PATH there.
type site struct {
	t    *testing.T
	dir  string // work is done here
	etcd string // the program

	members int          // that were started
	said    bytes.Buffer // all that the programs that were run said
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyward-etcd-") // short: a socket's path has 107 bytes
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	s := &site{t: t, dir: dir}
	must(t, os.Mkdir(s.path("bin"), 0o755))
	s.link("keyward", filepath.Join(setting(t, "KEYWARD_BIN"), "keyward"))
	switch version := setting(t, "KEYWARD_ETCD"); version {
	case "3.4":
		s.etcd = "/usr/bin/etcd"
		s.link("etcdctl", "/usr/bin/etcdctl")
	case "3.6":
		built := setting(t, "KEYWARD_ETCD_BIN")
		s.etcd = filepath.Join(built, "server")
		s.link("etcdctl", filepath.Join(built, "etcdctl"))
		s.link("etcdutl", filepath.Join(built, "etcdutl"))
	default:
		t.Fatalf("KEYWARD_ETCD=%s: 3.4 or 3.6", version)
	}
	said, err := exec.Command(s.etcd, "--version").Output()
	if err != nil || !strings.HasPrefix(string(said), "etcd Version: "+os.Getenv("KEYWARD_ETCD")+".") {
		t.Fatalf("%s --version: %v %s", s.etcd, err, said)
	}
	return s
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set", name)
	}
	return value
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) link(name, program string) {
	s.t.Helper()
	if _, err := os.Stat(program); err != nil {
		s.t.Fatalf("%v: ci/install --etcd", err)
	}
	must(s.t, os.Symlink(program, s.path("bin/"+name)))
}

// environment is an operator's on a member.
func (s *site) environment(m *member) []string {
	env := []string{"PATH=" + s.path("bin") + ":/usr/bin:/bin", "HOME=" + s.dir, "LC_ALL=C", "KUBE_SOCKET=" + s.path("kube.sock")}
	if m != nil {
		env = append(env, "ETCDCTL_ENDPOINTS="+m.endpoint, "ETCDCTL_API=3")
	}
	return env
}

// run runs a program of the site's PATH; it must succeed.
func (s *site) run(m *member, program string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.path("bin/"+program), args...)
	cmd.Dir, cmd.Env = s.dir, s.environment(m)
	said, err := cmd.CombinedOutput()
	s.said.Write(said)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said)
	}
	return string(said)
}

// member is one running etcd; its sockets lie in the site's folder, by its number.
type member struct {
	s        *site
	data     string // its data-dir
	peer     string
	endpoint string
	client   *kubernetes.Client
	process  *os.Process
	over     chan struct{} // closed when it is gone
}

// start starts a member, a cluster of its own, on a data-dir, which may be there already.
func (s *site) start(data string, more ...string) *member {
	s.t.Helper()
	return s.startAs("default", "", data, more...)
}

// startAs starts a member of that name; the others are "name=peer,".
func (s *site) startAs(name, others, data string, more ...string) *member {
	s.t.Helper()
	s.members++
	client, peer := fmt.Sprintf("client:%d", s.members), fmt.Sprintf("unix://peer:%d", s.members)
	m := &member{s: s, data: s.path(data), peer: peer, endpoint: "unix://" + s.path(client), over: make(chan struct{})}
	cmd := exec.Command(s.etcd, append([]string{"--name", name, "--data-dir", m.data,
		"--listen-client-urls", "unix://" + client, "--advertise-client-urls", "unix://" + client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", others + name + "=" + peer}, more...)...)
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=/usr/bin:/bin"}
	log, err := os.Create(s.path(fmt.Sprintf("log.%d", s.members)))
	must(s.t, err)
	cmd.Stdout, cmd.Stderr = log, log
	// It dies with the thread that started it, which lives as long as it does.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(m.over)
	}()
	must(s.t, <-started)
	m.process = cmd.Process
	s.t.Cleanup(func() {
		_ = m.process.Kill()
		<-m.over
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && s.t.Failed() {
			s.t.Logf("etcd's log ends:\n%s", text[max(0, len(text)-4000):])
		}
	})
	m.connect()
	return m
}

// connect waits until the member answers.
func (m *member) connect() {
	m.s.t.Helper()
	client, err := kubernetes.New(clientv3.Config{Endpoints: []string{m.endpoint}, Logger: zap.NewNop()})
	must(m.s.t, err)
	m.client = client
	m.s.t.Cleanup(func() { client.Close() })
	ctx, cancel := context.WithDeadline(context.Background(), untilEnd(m.s.t))
	defer cancel()
	go func() {
		select {
		case <-m.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	for { // each Get waits for the member, up to the client's own limit
		_, err := client.Get(ctx, "/", kubernetes.GetOptions{})
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			m.s.t.Fatalf("etcd never answered: %v", err)
		}
	}
}

// stop ends the member as an init system does.
func (m *member) stop() {
	m.s.t.Helper()
	must(m.s.t, m.client.Close())
	must(m.s.t, m.process.Signal(syscall.SIGTERM))
	<-m.over
}

// copyDatabase copies the stopped member's database, as cp would.
func (m *member) copyDatabase(name string) string {
	m.s.t.Helper()
	copied, err := os.Create(m.s.path(name))
	must(m.s.t, err)
	from, err := os.Open(m.data + "/member/snap/db")
	must(m.s.t, err)
	_, err = io.Copy(copied, from)
	must(m.s.t, errors.Join(err, copied.Close(), from.Close()))
	return name
}

// snapshot is one of the running member's, by etcdctl.
func (m *member) snapshot(name string) string {
	m.s.t.Helper()
	m.s.run(m, "etcdctl", "snapshot", "save", name)
	return name
}

// compact drops what was superseded by now; the deletion is done when it returns.
func (m *member) compact() int64 {
	m.s.t.Helper()
	now, err := m.client.Get(context.Background(), "/", kubernetes.GetOptions{})
	must(m.s.t, err)
	_, err = m.client.Compact(context.Background(), now.Revision, clientv3.WithCompactPhysical())
	must(m.s.t, err)
	return now.Revision
}

func (m *member) defrag() {
	m.s.t.Helper()
	m.s.run(m, "etcdctl", "defrag")
}

var untilEnd, must = common.UntilEnd, common.Must

// each does it n times, many at once.
func each(n int, do func(i int) error) error {
	return common.Each(n, 64, do)
}
