// SPDX-License-Identifier: Apache-2.0

// Package conformance runs the real keywardd, with SoftHSM behind it, against the code
// with which kube-apiserver speaks to it (k8s.io/apiserver).
//
// The programs under test are named by the environment: KEYWARD_BIN is the folder that
// holds keyward, keywardd and keyward-hsm.  Each test makes a node of its own.  Those with
// the tag bench want keyward-bench too, and bench_test.go a plugin that is not ours.
package conformance

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"keyward/conformance/common"
)

// node is one control-plane node's keyward: everything below one folder.
type node struct {
	t      *testing.T
	bin    string // copies of the programs, where the daemon's user can reach them
	base   string // what keyward init made
	config string
	user   *syscall.Credential // nil: this process's user
	daemon *daemon             // nil while stopped
}

// made is what keyward init --json says.
type made struct {
	Config     string `json:"config"`
	Encryption string `json:"encryption_configuration"`
	Secrets    string `json:"socket_secrets"`
	Bulk       string `json:"socket_bulk"`
	Tokens     string `json:"token_dir"`
}

// Probes and verdicts at a quick pace: an outage is seen and over within seconds, and a
// busy machine is none.
const quickHSM = "hsm:\n" +
	"  suspect: 3s\n" +
	"  recover: 1s\n" +
	"  probe: {every: 1s, stale-after: 10s}\n"

// newNode makes a node with one active KEK version and starts its daemon.
func newNode(t *testing.T) *node {
	t.Helper()
	n := prepareNode(t)
	n.start()
	return n
}

// prepareNode does everything but start the daemon.
func prepareNode(t *testing.T) *node {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyward-conf-")
	must(t, err)
	t.Cleanup(func() { removeSealed(t, dir) })
	must(t, os.Chmod(dir, 0o755))
	n := &node{t: t, bin: filepath.Join(dir, "bin"), base: filepath.Join(dir, "node")}
	n.copyPrograms()
	args := []string{"init", "--first", "--softhsm", "--dir", n.base, "--domain", "conformance"}
	if os.Geteuid() == 0 {
		args = append(args, "--user", n.becomeNobody())
	}
	n.tool(args...)
	n.config = filepath.Join(n.base, "keyward.yaml")
	n.editConfig("hsm:\n", quickHSM)
	// Nothing goes to the machine's own system log, and a busy disk is no test's matter.
	n.editConfig("audit:\n", "audit:\n  copies: none\n  deadline: 1200ms\n")
	n.tool("key", "create", "--config", n.config)
	n.tool("key", "accept", "1", "--config", n.config)
	n.tool("key", "activate", "1", "--only-copy", "--config", n.config)
	return n
}

// removeSealed removes a folder whose parts the tool has sealed (mode 0500).
func removeSealed(t *testing.T, dir string) {
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	}))
	must(t, os.RemoveAll(dir))
}

// becomeNobody makes the daemon run as an unprivileged user: it refuses to be root.
func (n *node) becomeNobody() string {
	nobody, err := user.Lookup("nobody")
	must(n.t, err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	must(n.t, err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	must(n.t, err)
	n.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nobody.Username
}

// The build folder may lie where the daemon's user cannot go.
func (n *node) copyPrograms() {
	from := os.Getenv("KEYWARD_BIN")
	if from == "" {
		n.t.Fatal("KEYWARD_BIN is not set: the folder with keyward, keywardd and keyward-hsm")
	}
	must(n.t, os.Mkdir(n.bin, 0o755))
	for _, name := range []string{"keyward", "keywardd", "keyward-hsm"} {
		program, err := os.ReadFile(filepath.Join(from, name))
		must(n.t, err)
		must(n.t, os.WriteFile(filepath.Join(n.bin, name), program, 0o755))
		must(n.t, os.Chmod(filepath.Join(n.bin, name), 0o755))
	}
}

func (n *node) editConfig(old, new string) {
	text, err := os.ReadFile(n.config)
	must(n.t, err)
	if strings.Count(string(text), old) != 1 {
		n.t.Fatalf("%s: %q is not there exactly once:\n%s", n.config, old, text)
	}
	must(n.t, os.WriteFile(n.config, bytes.Replace(text, []byte(old), []byte(new), 1), 0o644))
}

// tool runs the operator's tool and gives what it printed; it must succeed.
func (n *node) tool(args ...string) string {
	n.t.Helper()
	cmd := exec.Command(filepath.Join(n.bin, "keyward"), args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		n.t.Fatalf("keyward %s: %v\n%s%s", strings.Join(args, " "), err, &out, &errs)
	}
	return out.String()
}

func (n *node) path(name string) string         { return filepath.Join(n.base, name) }
func (n *node) socket(class string) string      { return n.path("run/" + class + ".sock") }
func (n *node) encryptionConfiguration() string { return n.path("encryption-configuration.yaml") }

// start starts the daemon and waits until the HSM is up and both workers are.
func (n *node) start() {
	n.t.Helper()
	n.startOnly()
	n.daemon.await(n.t, 0, "hsm-state", "to=up")
	first := n.daemon.await(n.t, 0, "worker-ready")
	n.daemon.await(n.t, first, "worker-ready")
}

// startOnly waits for the sockets only.
func (n *node) startOnly() {
	n.t.Helper()
	n.daemon = startDaemon(n.t, n.user, filepath.Join(n.bin, "keywardd"), n.config)
	n.daemon.await(n.t, 0, "listening", "class=secrets")
	n.daemon.await(n.t, 0, "listening", "class=bulk")
}

// stop ends the daemon as an init system does; it must leave well and leave nobody behind.
func (n *node) stop() {
	n.t.Helper()
	workers := n.workers()
	must(n.t, n.daemon.signal(syscall.SIGTERM))
	if err := n.daemon.wait(); err != nil {
		n.t.Fatalf("keywardd after SIGTERM: %v\n%s", err, n.daemon.log.tail())
	}
	n.daemon = nil
	for _, pid := range workers {
		eventually(n.t, "a worker without its daemon leaves", func() error {
			if common.ParentOf(pid) != 0 {
				return fmt.Errorf("%d is still there", pid)
			}
			return nil
		})
	}
	for _, class := range []string{"secrets", "bulk"} {
		if _, err := os.Lstat(n.socket(class)); err == nil {
			n.t.Errorf("%s was left behind", n.socket(class))
		}
	}
}

// reload makes the daemon read the keyring again and waits until it has.
func (n *node) reload() {
	n.t.Helper()
	mark := n.daemon.log.mark()
	must(n.t, n.daemon.signal(syscall.SIGHUP))
	n.daemon.await(n.t, mark, "keyring-loaded", "why=SIGHUP")
}

// addVersion makes KEK version `v` and lets the daemon decrypt with it.
func (n *node) addVersion(v string) {
	n.t.Helper()
	n.tool("key", "create", "--config", n.config)
	n.tool("key", "accept", v, "--config", n.config)
	n.reload()
}

// activate lets the daemon wrap with KEK version `v`; Status shows it a moment later.
func (n *node) activate(v string) {
	n.t.Helper()
	n.tool("key", "activate", v, "--only-copy", "--now", "--config", n.config)
	n.reload()
}

// loseHSM takes the token away under the running daemon: its files are moved and the
// workers that have them open are killed.
func (n *node) loseHSM() {
	n.t.Helper()
	mark := n.daemon.log.mark()
	must(n.t, os.Rename(n.path("tokens"), n.path("tokens.away")))
	for _, pid := range n.workers() {
		must(n.t, syscall.Kill(pid, syscall.SIGKILL))
	}
	n.daemon.await(n.t, mark, "hsm-state", "to=lost")
}

func (n *node) restoreHSM() {
	n.t.Helper()
	mark := n.daemon.log.mark()
	must(n.t, os.Rename(n.path("tokens.away"), n.path("tokens")))
	n.daemon.await(n.t, mark, "hsm-state", "to=up")
}

// workers are the daemon's children, by /proc.
func (n *node) workers() []int {
	n.t.Helper()
	return common.ChildrenOf(n.t, n.daemon.pid())
}

// classStatus is what the status socket says of one class.
type classStatus struct {
	Name         string `json:"name"`
	StatusCalls  int    `json:"status_calls"`
	EncryptCalls int    `json:"encrypt_calls"`
	DecryptCalls int    `json:"decrypt_calls"`
	Cache        struct {
		Entries int `json:"entries"`
		Hits    int `json:"hits"`
	} `json:"cache"`
}

func (n *node) classStatus(class string) classStatus {
	n.t.Helper()
	var status classStatus
	common.StatusOf(n.t, n.path("run/status.sock"), class, &status)
	return status
}

// daemon is one running keywardd.
type daemon struct {
	cmd  *exec.Cmd
	log  *eventLog
	over chan struct{} // closed when it is gone
	err  error         // how it ended; after over
}

// startDaemon starts keywardd and sees to it that it ends with the test, and even with
// the test's process: its parent's thread lives as long as it does.
func startDaemon(t *testing.T, user *syscall.Credential, program, config string) *daemon {
	t.Helper()
	d := &daemon{log: newEventLog(), over: make(chan struct{})}
	d.cmd = exec.Command(program, "--config", config)
	d.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if arena := os.Getenv("KEYWARD_ARENA"); arena != "" {
		d.cmd.Env = append(d.cmd.Env, "KEYWARD_ARENA="+arena)
	}
	d.cmd.Stderr = d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the death signal is bound to this thread
		if err := d.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		d.err = d.cmd.Wait()
		d.log.end()
		close(d.over)
	}()
	must(t, <-started)
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.over
		if t.Failed() || testing.Verbose() {
			t.Logf("the daemon's log:\n%s", d.log.tail())
		}
	})
	return d
}

func (d *daemon) pid() int                      { return d.cmd.Process.Pid }
func (d *daemon) signal(s syscall.Signal) error { return d.cmd.Process.Signal(s) }
func (d *daemon) wait() error                   { <-d.over; return d.err }

// await blocks until the log says `event` with all of `fields`, after `mark`, and gives
// the mark behind it.
func (d *daemon) await(t *testing.T, mark int, event string, fields ...string) int {
	t.Helper()
	next, found := d.log.await(mark, untilEnd(t), event, fields...)
	if !found {
		t.Fatalf("keywardd never said event=%s %s", event, strings.Join(fields, " "))
	}
	return next
}

const (
	hangup  = syscall.SIGHUP
	stopped = syscall.SIGSTOP
	resumed = syscall.SIGCONT
	killed  = syscall.SIGKILL
)

func kill(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
