// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is a control-plane node's keyward, with a token of SoftHSM's: the folder "node" of
// the site.  Its classes are secrets, bulk and custom.
type node struct {
	s      *site
	config string
	env    string              // of its token
	user   *syscall.Credential // the daemon's; nil: this process's
	daemon *daemon
}

// newNode makes a node whose KEK version 1 is active, and starts its daemon.
func (s *site) newNode() *node {
	s.t.Helper()
	n := &node{s: s, config: s.path("node/keyward.yaml"), env: "SOFTHSM2_CONF=" + s.path("node/softhsm2.conf")}
	s.t.Cleanup(func() { must(s.t, unseal(s.dir)) })
	must(s.t, os.Chmod(s.dir, 0o755)) // the daemon's user goes there
	for _, name := range []string{"keyward", "keywardd", "keyward-hsm"} {
		program, err := os.ReadFile(filepath.Join(setting(s.t, "KEYWARD_BIN"), name))
		must(s.t, err)
		_ = os.Remove(s.path("bin/" + name)) // a link to where that user may not go
		must(s.t, os.WriteFile(s.path("bin/"+name), program, 0o755))
		must(s.t, os.Chmod(s.path("bin/"+name), 0o755))
	}
	init := []string{"init", "--first", "--softhsm", "--dir", s.path("node"), "--domain", "ring"}
	if os.Geteuid() == 0 { // the daemon refuses to be root
		init = append(init, "--user", n.becomeNobody())
	}
	s.run(nil, "keyward", init...)
	n.addClass("custom")
	n.key("create")
	n.key("accept", "1")
	n.key("activate", "1", "--only-copy")
	n.start()
	return n
}

// unseal opens what the tool left without a permission to write.
func unseal(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
}

func (n *node) becomeNobody() string {
	nobody, err := user.Lookup("nobody")
	must(n.s.t, err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	must(n.s.t, err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	must(n.s.t, err)
	n.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nobody.Username
}

// addClass adds a class that is as bulk is, the last one; and nothing goes to the machine's
// own system log, and a busy disk is no test's matter.
func (n *node) addClass(name string) {
	n.s.t.Helper()
	text, err := os.ReadFile(n.config)
	must(n.s.t, err)
	_, bulk, found := strings.Cut(string(text), "  - name: bulk\n")
	if !found || strings.Count(string(text), "\naudit:\n") != 1 {
		n.s.t.Fatalf("%s is not as expected:\n%s", n.config, text)
	}
	bulk = strings.ReplaceAll(strings.ReplaceAll(bulk, "scope: bulk", "scope: "+name), "bulk.sock", name+".sock")
	text = bytes.Replace(text, []byte("\naudit:\n"), []byte("\naudit:\n  copies: none\n  deadline: 1200ms\n"), 1)
	must(n.s.t, os.WriteFile(n.config, append(text, "  - name: "+name+"\n"+bulk...), 0o644))
}

// key runs keyward key; it must succeed.
func (n *node) key(verb string, args ...string) string {
	n.s.t.Helper()
	return n.s.run(nil, "keyward", append([]string{"key", verb, "--config", n.config}, args...)...)
}

// keyMust runs keyward key, which must end with the status, and gives what it said.
func (n *node) keyMust(status int, verb string, args ...string) string {
	n.s.t.Helper()
	cmd := exec.Command(n.s.path("bin/keyward"), append([]string{"key", verb, "--config", n.config}, args...)...)
	cmd.Dir, cmd.Env = n.s.dir, n.s.environment(nil)
	said, err := cmd.CombinedOutput()
	n.s.said.Write(said)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.s.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		n.s.t.Fatalf("keyward key %s %s: %d, not %d\n%s", verb, strings.Join(args, " "), got, status, said)
	}
	return string(said)
}

// keyring is what the node's file says.
type keyring struct {
	Versions []struct {
		N     int
		KeyID string `json:"key-id"`
		State string
	}
	History []struct {
		Act   string
		N     int
		Proof string
	}
}

func (n *node) keyring() (k keyring) {
	n.s.t.Helper()
	text, err := os.ReadFile(n.s.path("node/keyring.json"))
	must(n.s.t, err)
	must(n.s.t, json.Unmarshal(text, &k))
	return k
}

func (n *node) keyID(version int) string {
	n.s.t.Helper()
	for _, v := range n.keyring().Versions {
		if v.N == version {
			return v.KeyID
		}
	}
	n.s.t.Fatalf("the keyring has no version %d", version)
	return ""
}

// rotate makes KEK version v, and the cluster wraps with it.
func (n *node) rotate(v string) {
	n.s.t.Helper()
	n.key("create")
	n.key("accept", v)
	n.reload()
	n.key("activate", v, "--only-copy", "--now", "--baseline")
	mark := n.reload()
	n.daemon.await(n.s.t, mark, "event=keyring-in-use", "active="+v)
}

// class is the provider whose endpoint is the socket of a class.
func (n *node) class(name string) provider {
	return provider{"kms: {apiVersion: v2, name: keyward-" + name + ", endpoint: \"unix://" + n.socket(name) + "\", timeout: 3s}",
		storedAs{Kind: "kms-v2", Provider: "keyward-" + name, Type: 1}}
}

func (n *node) socket(class string) string { return n.s.path("node/run/" + class + ".sock") }

// cloneToken copies the token as it is now, and gives the variable that leads to the copy.
func (n *node) cloneToken(name string) string {
	n.s.t.Helper()
	if said, err := exec.Command("/bin/cp", "-a", n.s.path("node/tokens"), n.s.path(name)).CombinedOutput(); err != nil {
		n.s.t.Fatalf("%v: %s", err, said)
	}
	conf := "directories.tokendir = " + n.s.path(name) + "\nobjectstore.backend = file\n"
	must(n.s.t, os.WriteFile(n.s.path(name+".conf"), []byte(conf), 0o644))
	return "SOFTHSM2_CONF=" + n.s.path(name+".conf")
}

// daemon is one running keywardd, and its log.
type daemon struct {
	process *os.Process
	over    chan struct{} // closed when it is gone
	mutex   sync.Mutex
	more    *sync.Cond
	log     []byte
}

// start starts the daemon and waits until its sockets are there and its token is up.
func (n *node) start() {
	t := n.s.t
	t.Helper()
	d := &daemon{over: make(chan struct{})}
	d.more = sync.NewCond(&d.mutex)
	n.daemon = d
	cmd := exec.Command(n.s.path("bin/keywardd"), "--config", n.config)
	cmd.Env, cmd.Stderr = []string{"PATH=/usr/bin:/bin"}, d
	// It dies with the thread that started it, which lives as long as it does.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: n.user, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(d.over)
		d.mutex.Lock()
		defer d.mutex.Unlock()
		d.more.Broadcast()
	}()
	must(t, <-started)
	d.process = cmd.Process
	t.Cleanup(func() {
		_ = d.process.Kill()
		<-d.over
		if t.Failed() {
			t.Logf("keywardd's log ends:\n%s", d.log[max(0, len(d.log)-6000):])
		}
	})
	for _, class := range []string{"secrets", "bulk", "custom"} {
		d.await(t, 0, "event=listening", "class="+class)
	}
	d.await(t, 0, "event=hsm-state", "to=up")
	d.await(t, d.await(t, 0, "event=worker-ready"), "event=worker-ready")
}

// stop ends the daemon as an init system does.
func (n *node) stop() {
	n.s.t.Helper()
	must(n.s.t, n.daemon.process.Signal(syscall.SIGTERM))
	<-n.daemon.over
	n.s.said.Write(n.daemon.log)
}

// reload makes the daemon read the keyring again, and gives the place in its log before.
func (n *node) reload() int {
	n.s.t.Helper()
	n.daemon.mutex.Lock()
	mark := len(n.daemon.log)
	n.daemon.mutex.Unlock()
	must(n.s.t, n.daemon.process.Signal(syscall.SIGHUP))
	n.daemon.await(n.s.t, mark, "event=keyring-loaded", "why=SIGHUP")
	return mark
}

// Write takes what the daemon logs.
func (d *daemon) Write(text []byte) (int, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.log = append(d.log, text...)
	d.more.Broadcast()
	return len(text), nil
}

// await blocks until a line of the log, after the mark, has all words, and gives the mark
// behind it.
func (d *daemon) await(t *testing.T, mark int, words ...string) int {
	t.Helper()
	until := untilEnd(t)
	timer := time.AfterFunc(time.Until(until), d.more.Broadcast)
	defer timer.Stop()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for {
		for {
			line, _, whole := bytes.Cut(d.log[mark:], []byte("\n"))
			if !whole {
				break
			}
			mark += len(line) + 1
			if hasWords(string(line), words) {
				return mark
			}
		}
		if d.isOver() || !time.Now().Before(until) {
			t.Fatalf("keywardd never said %v", words)
		}
		d.more.Wait()
	}
}

func (d *daemon) isOver() bool {
	select {
	case <-d.over:
		return true
	default:
		return false
	}
}

func hasWords(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(" "+line+" ", " "+word+" ") {
			return false
		}
	}
	return true
}
