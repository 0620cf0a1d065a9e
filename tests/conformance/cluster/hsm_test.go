// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	kms "k8s.io/kms/apis/v2"

	"keyward/conformance/common"
)

// pid is a part's process.
func (c *cluster) pid(part string) int {
	c.t.Helper()
	text, err := os.ReadFile(c.path(part + ".pid"))
	must(c.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(c.t, err)
	return pid
}

// await blocks until keywardd's log, behind the first `from` bytes, has a line with all words.
func (c *cluster) await(from int, words ...string) {
	c.t.Helper()
	eventually(c.t, strings.Join(words, " "), func() error {
		for _, line := range strings.Split(c.log("keyward")[from:], "\n") {
			if hasWords(line, words) {
				return nil
			}
		}
		return fmt.Errorf("keywardd has not said it")
	})
}

func hasWords(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(" "+line+" ", " "+word+" ") {
			return false
		}
	}
	return true
}

// logged is how much keywardd has said by now.
func (c *cluster) logged() int { return len(c.log("keyward")) }

// workers are the processes of keywardd's.
func (c *cluster) workers() (pids []int) {
	c.t.Helper()
	return common.ChildrenOf(c.t, c.pid("keyward"))
}

// loseHSM takes the token away under the running daemon: its files are moved, and the
// workers that have them open are killed.
func (c *cluster) loseHSM() {
	c.t.Helper()
	from := c.logged()
	must(c.t, os.Rename(c.path("keyward/tokens"), c.path("keyward/tokens.away")))
	for _, pid := range c.workers() {
		must(c.t, syscall.Kill(pid, syscall.SIGKILL))
	}
	c.await(from, "event=hsm-state", "to=lost")
}

func (c *cluster) restoreHSM() {
	c.t.Helper()
	from := c.logged()
	must(c.t, os.Rename(c.path("keyward/tokens.away"), c.path("keyward/tokens")))
	c.await(from, "event=hsm-state", "to=up")
}

// reload makes the daemon read its keyring again, and waits until it is in use.
func (c *cluster) reload() {
	c.t.Helper()
	from := c.logged()
	must(c.t, syscall.Kill(c.pid("keyward"), syscall.SIGHUP))
	c.await(from, "event=keyring-loaded", "why=SIGHUP")
}

// setAhead moves the clock of the API server's KMS providers.
func (c *cluster) setAhead(by time.Duration) {
	c.t.Helper()
	must(c.t, os.WriteFile(c.path("ahead"), []byte(by.String()), 0o644))
}

// probe is what a kubelet asks for.
func (c *cluster) probe(path string) error {
	text, err := c.kube.RESTClient().Get().AbsPath(path).DoRaw(context.Background())
	if err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// direct is a connection to a class's socket, past the API server.
func (c *cluster) direct(class string) kms.KeyManagementServiceClient {
	c.t.Helper()
	conn, err := grpc.NewClient("unix://"+c.path("keyward/run/"+class+".sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(c.t, err)
	c.t.Cleanup(func() { conn.Close() })
	return kms.NewKeyManagementServiceClient(conn)
}

// decrypt asks for the seed of a stored value.
func (c *cluster) decrypt(class string, stored []byte) error {
	c.t.Helper()
	object := c.object("keyward-"+class, stored)
	if object == nil {
		c.t.Fatalf("a value begins %q", stored[:min(len(stored), 40)])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := c.direct(class).Decrypt(ctx, &kms.DecryptRequest{Uid: "cluster", Ciphertext: object.EncryptedDEKSource,
		KeyId: object.KeyID, Annotations: object.Annotations})
	return err
}
