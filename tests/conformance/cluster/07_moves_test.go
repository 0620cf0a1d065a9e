// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

const (
	identity = "identity: {}"
	aescbc   = "aescbc: {keys: [{name: one, secret: aW4gbm8gd2F5IGEgc2VjcmV0IGtleSwgdGVzdHMgb24=}]}"
)

// kms is the provider that stands for a class of keyward.
func (c *cluster) kms(class string) string {
	return fmt.Sprintf("kms: {apiVersion: v2, name: keyward-%s, endpoint: %q, timeout: 3s}", class, "unix://"+c.path("keyward/run/"+class+".sock"))
}

// configuration is an EncryptionConfiguration of Secrets with these providers, in this order.
func configuration(providers ...string) string {
	text := "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n  - resources: [secrets]\n    providers:\n"
	for _, p := range providers {
		text += "      - " + p + "\n"
	}
	return text
}

func (c *cluster) writeConfiguration(text string) {
	c.t.Helper()
	must(c.t, os.WriteFile(c.path("encryption.yaml.new"), []byte(text), 0o600))
	must(c.t, os.Rename(c.path("encryption.yaml.new"), c.path("encryption.yaml")))
}

// reconfigure gives the running API server other providers, and waits until it writes so.
func (c *cluster) reconfigure(prefix string, providers ...string) {
	c.t.Helper()
	c.writeConfiguration(configuration(providers...))
	tries := 0
	eventually(c.t, "writes as "+prefix, func() error {
		tries++
		name := fmt.Sprintf("try%d", tries)
		if err := c.create(name); err != nil {
			return err
		}
		stored := c.inEtcd(secrets + name)[secrets+name]
		must(c.t, c.kube.CoreV1().Secrets("default").Delete(nothing, name, deletion))
		if !bytes.HasPrefix(stored, []byte(prefix)) {
			return fmt.Errorf("%q", stored[:min(len(stored), 40)])
		}
		return nil
	})
}

// mustLieAs is of all Secrets in etcd.
func (c *cluster) mustLieAs(prefix string, want int) {
	c.t.Helper()
	found := 0
	for _, stored := range c.inEtcd(secrets) {
		if bytes.HasPrefix(stored, []byte(prefix)) {
			found++
		}
	}
	if found != want {
		c.t.Errorf("%d Secrets lie as %s, not %d", found, prefix, want)
	}
}

// move is the way to keyward from a provider that writes `prefix`, and back, with no restart:
// first readable, then written, then rewritten, then the old one goes.
func move(t *testing.T, old, prefix string) {
	const sealed = "k8s:enc:kms:v2:keyward-secrets:"
	c := prepareCluster(t)
	c.writeConfiguration(configuration(old))
	c.start("etcd", "keyward", "kube-apiserver", "--reload")
	names := []string{"a", "b", "c"}
	c.mustCreate(names...)
	c.mustLieAs(prefix, 3)
	keyward := c.kms("secrets")

	c.reconfigure(sealed, keyward, old)
	c.mustRead(names...)
	c.mustLieAs(prefix, 3)
	c.rewriteAll()
	c.mustLieAs(sealed, 3)
	c.reconfigure(sealed, keyward)
	c.mustRead(names...)

	c.reconfigure(prefix, old, keyward)
	c.mustRead(names...)
	c.rewriteAll()
	c.mustLieAs(sealed, 0)
	c.mustLieAs(prefix, 3)
	c.reconfigure(prefix, old)
	c.stop("keyward")
	c.mustRead(names...)
	c.restart("kube-apiserver")
	c.mustRead(names...)
}

// 07: from each to keyward and back; what lies there is readable all the while.
func Test07_from_identity_and_back__all_is_rewritten(t *testing.T) { move(t, identity, "k8s\x00") }

func Test07_from_aescbc_and_back__all_is_rewritten(t *testing.T) {
	move(t, aescbc, "k8s:enc:aescbc:v1:one:")
}
