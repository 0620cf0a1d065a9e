// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// holder has the listening sockets and gives them to one keywardd after the other, as a
// systemd socket unit does.
type holder struct {
	c     *cluster
	files []*os.File
	user  *syscall.Credential
	cmd   *exec.Cmd
	over  chan error
}

var held = []string{"secrets", "bulk"}

func (c *cluster) holdSockets() *holder {
	c.t.Helper()
	h := &holder{c: c}
	for _, class := range held {
		path := c.path("keyward/run/" + class + ".sock")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		must(c.t, err)
		must(c.t, os.Chmod(path, 0o660)) // as the class's mode
		file, err := listener.File()
		must(c.t, err)
		h.files = append(h.files, file)
	}
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		must(c.t, err)
		uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
		must(c.t, err)
		gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
		must(c.t, err)
		h.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return h
}

// start starts keywardd with the sockets and gives where its log begins.
func (h *holder) start() (from int) {
	t := h.c.t
	t.Helper()
	from = h.c.logged()
	log, err := os.OpenFile(h.c.path("keyward.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer log.Close()
	// LISTEN_PID is the process's own number, which it has before it is keywardd.
	h.cmd = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", h.c.path("bin/keywardd"), "--config", h.c.path("keyward/keyward.yaml"))
	h.cmd.Env = []string{"PATH=/usr/bin:/bin", "LISTEN_FDS=" + strconv.Itoa(len(held)), "LISTEN_FDNAMES=" + strings.Join(held, ":")}
	h.cmd.ExtraFiles, h.cmd.Stderr = h.files, log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.user, Pdeathsig: syscall.SIGKILL}
	h.over = make(chan error, 1)
	started := make(chan error)
	go func(cmd *exec.Cmd, over chan error) {
		runtime.LockOSThread() // the death signal is bound to this thread
		err := cmd.Start()
		started <- err
		if err == nil {
			over <- cmd.Wait()
		}
	}(h.cmd, h.over)
	must(t, <-started)
	return from
}

func (h *holder) stop() {
	h.c.t.Helper()
	must(h.c.t, h.cmd.Process.Signal(syscall.SIGTERM))
	must(h.c.t, <-h.over)
}

// traffic asks the API server for the same thing again and again.
type traffic struct {
	asked atomic.Int64
	end   chan struct{}
	all   sync.WaitGroup
	mutex sync.Mutex
	why   map[string]int // what was said of requests that failed, and how often
}

func (f *traffic) run(name string, request func(i int) error) {
	f.all.Add(1)
	go func() {
		defer f.all.Done()
		for i := 0; ; i++ {
			select {
			case <-f.end:
				return
			default:
			}
			f.asked.Add(1)
			if err := request(i); err != nil {
				f.mutex.Lock()
				f.why[fmt.Sprintf("%s: %v", name, err)]++
				f.mutex.Unlock()
			}
		}
	}()
}

// 10: keyward is restarted fifty times with its listening sockets kept, as systemd does,
// while clients write and read as fast as the API server lets them, and that takes its
// configuration anew each time, so that it needs an Encrypt and Decrypts: no request fails.
func Test10_fifty_restarts_under_writes__no_request_fails(t *testing.T) {
	c := prepareCluster(t)
	h := c.holdSockets()
	from := h.start()
	c.await(from, "event=hsm-state", "to=up")
	c.start("etcd", "kube-apiserver", "--reload")
	must(t, each(20, func(i int) error { return c.create(fmt.Sprintf("old%d", i)) }))
	text, err := os.ReadFile(c.path("encryption.yaml"))
	must(t, err)
	f := &traffic{end: make(chan struct{}), why: map[string]int{}}
	for w := range 4 {
		f.run("create", func(i int) error { return c.create(fmt.Sprintf("w%d-%d", w, i)) })
	}
	f.run("read", func(i int) error { return c.read(fmt.Sprintf("old%d", i%20)) })
	for i := range 50 {
		c.writeConfiguration(fmt.Sprintf("%s# %d\n", text, i))
		h.stop()
		c.await(h.start(), "event=hsm-state", "to=up")
	}
	close(f.end)
	f.all.Wait()
	h.stop()
	t.Logf("%d requests during fifty restarts", f.asked.Load())
	for why, times := range f.why {
		t.Errorf("%d of %d requests failed, %s", times, f.asked.Load(), why)
	}
	if n := f.asked.Load(); n < 500 {
		t.Errorf("%d requests are no load", n)
	}
}
