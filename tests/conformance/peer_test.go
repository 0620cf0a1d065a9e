// SPDX-License-Identifier: Apache-2.0

//go:build bench

package conformance

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const peerPin = "73914680"

// peerToken makes a SoftHSM token in a folder of its own and points this process and what
// it starts at it.
func peerToken(t *testing.T) (folder, module string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "keyward-peer-") // short: a socket's path is too
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(folder)) })
	conf := filepath.Join(folder, "softhsm2.conf")
	must(t, os.Mkdir(filepath.Join(folder, "tokens"), 0o700))
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+filepath.Join(folder, "tokens")+"\nlog.level = ERROR\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "pin"), []byte(peerPin+"\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "peer", "--pin", peerPin, "--so-pin", peerPin).CombinedOutput()
	if err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	return folder, "/usr/lib/softhsm/libsofthsm2.so"
}

// peerObjects is what lies on the token, private objects too.
func peerObjects(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("pkcs11-tool", "--module", module, "--token-label", "peer", "--login", "--pin", peerPin, "--list-objects").Output()
	must(t, err)
	return string(out)
}

// startPeer runs the plugin; it serves when its first line has come.
func startPeer(t *testing.T, folder, module, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(os.Getenv("KEYWARD_BIN"), "keyward-bench-peer"),
		"--module", module, "--token", "peer", "--pin", filepath.Join(folder, "pin"), socket)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "peer "+socket+"\n" {
		t.Fatalf("the plugin said %q: %v", line, err)
	}
	return cmd
}

// The plugin that keywardd is compared with has to be right itself, and to leave nothing.
func TestPeer_driven_by_keyward_bench__no_wrong_reply_and_no_key_left(t *testing.T) {
	folder, module := peerToken(t)
	socket := filepath.Join(folder, "s")
	cmd := startPeer(t, folder, module, socket)
	if key := peerObjects(t, module); strings.Count(key, "kw-bench-") != 1 || !strings.Contains(key, "sensitive") {
		t.Errorf("not one sensitive key of the measurement on the token:\n%s", key)
	}
	for _, mix := range []string{"status", "encrypt", "decrypt"} {
		out, err := exec.Command(filepath.Join(os.Getenv("KEYWARD_BIN"), "keyward-bench"), "load", socket,
			"--mix", mix, "--calls", "200", "--warmup", "0s", "--ciphertexts", "distinct:20", "--json").Output()
		must(t, err)
		var said struct{ Good, Wrong, Failed int }
		must(t, json.Unmarshal(out, &said))
		if said.Good < 200 || said.Wrong != 0 || said.Failed != 0 {
			t.Errorf("%s: %+v", mix, said)
		}
	}
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	must(t, cmd.Wait())
	if left := peerObjects(t, module); strings.Contains(left, "kw-bench-") {
		t.Errorf("left on the token:\n%s", left)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// One byte of a ciphertext changed, or another key_id: refused.
func TestPeer_tampered__refused(t *testing.T) {
	folder, module := peerToken(t)
	socket := filepath.Join(folder, "s")
	startPeer(t, folder, module, socket)
	c := dialSocket(t, socket, "localhost")
	sealed := c.mustEncrypt(seed(1))
	for i := range sealed.Ciphertext {
		sealed.Ciphertext[i] ^= 1
		if _, err := c.decrypt(sealed.Ciphertext, sealed.KeyId); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
		sealed.Ciphertext[i] ^= 1
	}
	if _, err := c.decrypt(sealed.Ciphertext, sealed.KeyId+"x"); err == nil {
		t.Error("another key_id, and it opens")
	}
	c.mustDecrypt(sealed.Ciphertext, sealed.KeyId, seed(1))
}
