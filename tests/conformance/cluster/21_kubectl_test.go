// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
)

// told are the texts of a page, and which of them a program has said.
type told struct {
	c     *cluster
	texts []block
	said  []bool
}

func readTexts(c *cluster) *told {
	c.t.Helper()
	p := &told{c: c}
	for _, b := range blocks(c.t, "KUBECTL.md") {
		if b.kind == "text" {
			p.texts = append(p.texts, b)
		}
	}
	p.said = make([]bool, len(p.texts))
	return p
}

// mustHave is of what a program said: a text of the page, line for line, in what it said.
func (p *told) mustHave(what, said string) {
	p.c.t.Helper()
	lines, found := strings.Split(said, "\n"), false
	for i, b := range p.texts {
		all := true
		for _, line := range b.lines {
			all = all && saysLine(lines, line)
		}
		if all {
			p.said[i], found = true, true
		}
	}
	if !found {
		p.c.t.Errorf("the page has nothing of %s:\n%s", what, said)
	}
}

// kubectl must fail, with what the page has.
func (p *told) kubectl(what string, args ...string) {
	p.c.t.Helper()
	said, err := p.c.command(p.c.path("bin/kubectl"), args...).CombinedOutput()
	if err == nil {
		p.c.t.Errorf("%s: kubectl %s is good:\n%s", what, strings.Join(args, " "), said)
		return
	}
	p.mustHave(what, string(said))
}

// red waits until the API server says that the provider is not well, by itself, and why.
func (p *told) red(what, why string) {
	p.c.t.Helper()
	eventually(p.c.t, what, func() error {
		if err := p.c.probe("/readyz/kms-providers"); err == nil || !strings.Contains(err.Error(), why) {
			return fmt.Errorf("it says %v", err)
		}
		return nil
	})
	p.kubectl(what, "get", "--raw", "/readyz/kms-providers")
}

func (p *told) mustBeWhole() {
	p.c.t.Helper()
	for i, b := range p.texts {
		if !p.said[i] {
			p.c.t.Errorf("KUBECTL.md, line %d: nothing says %q", b.at, strings.Join(b.lines, "\n"))
		}
	}
}

// refused starts kube-apiserver with a configuration that it does not take.
func (p *told) refused(configuration string) {
	p.c.t.Helper()
	p.c.writeConfiguration(configuration)
	must(p.c.t, os.Truncate(p.c.path("kube-apiserver.log"), 0))
	cmd := p.c.command(setting(p.c.t, "KEYWARD_SOURCE")+"/ci/cluster", "start", "kube-apiserver", "--state", p.c.dir)
	if said, err := cmd.CombinedOutput(); err == nil {
		p.c.t.Errorf("kube-apiserver starts with\n%s\n%s", configuration, said)
	}
	p.mustHave("a configuration that is refused", p.c.log("kube-apiserver"))
}

// withoutPrivilege keeps an API server that starts from passing over modes, which root may,
// until what it returns is called.
func (c *cluster) withoutPrivilege() (end func()) {
	c.t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	program := c.path("bin/kube-apiserver")
	must(c.t, os.Rename(program, program+"-itself"))
	must(c.t, os.WriteFile(program, []byte("#!/bin/sh\nexec setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -all "+
		program+"-itself \"$@\"\n"), 0o755))
	return func() { must(c.t, os.Rename(program+"-itself", program)) }
}

// letNobodyIn makes a configuration whose class secrets has other peers, until what it returns
// is called; a daemon that starts in between has it.
func (c *cluster) letNobodyIn() (end func()) {
	c.t.Helper()
	config := c.path("keyward/keyward.yaml")
	text, err := os.ReadFile(config)
	must(c.t, err)
	peers := regexp.MustCompile(`(secrets\.sock\n    mode: 0660\n    peers: )\{.*\}`)
	if !peers.Match(text) {
		c.t.Fatalf("the class secrets has no peers:\n%s", text)
	}
	must(c.t, os.WriteFile(config, peers.ReplaceAll(text, []byte("${1}{uids: [64124]}")), 0o644))
	return func() { must(c.t, os.WriteFile(config, text, 0o644)) }
}

var secretOf = []string{"get", "secret"}

// 21: each text of docs/KUBECTL.md is what a real kubectl, or the API server's log, says.
func Test21_KUBECTL__each_text_is_said(t *testing.T) {
	c := newCluster(t)
	p := readTexts(c)
	c.mustCreate("good", "bad")
	const key = secrets + "bad"
	stored := c.inEtcd(key)[key]

	// values
	c.spoil(key, stored, func(o *kmstypes.EncryptedObject) { o.EncryptedData[40] ^= 1 })
	p.kubectl("a damaged value", append(secretOf, "bad")...)
	p.kubectl("a list with a damaged value", "get", "secrets")
	c.spoil(key, stored, func(o *kmstypes.EncryptedObject) { o.EncryptedDEKSource[30] ^= 1 })
	p.kubectl("a damaged seed", append(secretOf, "bad")...)
	c.spoil(key, stored, func(o *kmstypes.EncryptedObject) { o.KeyID = "kw1-9-000000000000000000000000" })
	p.kubectl("an unknown key", append(secretOf, "bad")...)
	c.put(key, bytes.Replace(stored, []byte("keyward-secrets"), []byte("keyward-other"), 1))
	p.kubectl("another provider's name", append(secretOf, "bad")...)
	c.put(key, stored)

	// an outage
	c.loseHSM()
	p.red("the HSM is lost", "code = Unavailable desc = keyward")
	p.kubectl("readyz in an outage", "get", "--raw", "/readyz")
	c.setAhead(4 * time.Minute)
	p.kubectl("a create past three minutes", "create", "secret", "generic", "late", "--from-literal=a=b")
	c.restoreHSM()

	// a disabled key
	c.keyward("key", "create")
	c.keyward("key", "accept", "2")
	c.keyward("key", "activate", "2", "--only-copy", "--now", "--baseline")
	c.keyward("key", "disable", "1", "--without-proof", "a test of what is said")
	c.reload()
	c.restart("kube-apiserver", "--unready")
	eventually(t, "an API server that can read", func() error { _ = c.probe("/readyz"); return c.create("newer") })
	p.kubectl("a disabled key", append(secretOf, "bad")...)

	// keyward away, at the start and after it
	c.stop("kube-apiserver", "keyward")
	c.start("kube-apiserver", "--unready")
	p.kubectl("no keyward at the start: get", append(secretOf, "bad")...)
	p.kubectl("no keyward at the start: create", "create", "secret", "generic", "late", "--from-literal=a=b")
	p.red("no keyward", "no such file or directory")

	// not let in
	letIn := c.letNobodyIn()
	c.start("keyward")
	p.red("a peer that is not let in", "error reading server preface")

	// may not open it
	c.stop("kube-apiserver", "keyward")
	letIn()
	c.start("keyward")
	must(t, os.Chmod(c.path("keyward/run/secrets.sock"), 0))
	withPrivilege := c.withoutPrivilege()
	c.start("kube-apiserver", "--unready")
	p.red("no permission", "permission denied")
	withPrivilege()

	// configurations
	c.stop("kube-apiserver", "keyward")
	c.writeConfiguration(configuration(identity))
	c.start("kube-apiserver", "--unready")
	p.kubectl("no kms provider any more", append(secretOf, "bad")...)
	c.mustCreate("in-clear")
	c.stop("kube-apiserver")
	c.start("keyward")
	c.writeConfiguration(configuration(c.kms("secrets")))
	c.start("kube-apiserver", "--unready")
	eventually(t, "an API server that can write", func() error { _ = c.probe("/readyz"); return c.create("newest") })
	p.kubectl("no identity, and a value in clear", append(secretOf, "in-clear")...)
	c.stop("kube-apiserver")
	good := c.kms("secrets")
	for _, bad := range []string{
		strings.Replace(good, "apiVersion: v2, ", "", 1),
		strings.Replace(good, "timeout", "deadline", 1),
		strings.Replace(good, "unix://", "", 1),
		regexp.MustCompile(`endpoint: "[^"]*", `).ReplaceAllString(good, ""),
		strings.Replace(good, "keyward-secrets", "keyward:secrets", 1),
		strings.Replace(good, "timeout: 3s", "timeout: 3s, cachesize: 10", 1),
	} {
		p.refused(configuration(bad))
	}
	p.refused(configuration(good, good))
	p.mustBeWhole()
}
