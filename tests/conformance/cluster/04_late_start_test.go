// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"strings"
	"testing"
)

const nilTransformer = "got unexpected nil transformer"

// mustHaveNothing is an API server that cannot read, write or be ready.
func (c *cluster) mustHaveNothing() {
	c.t.Helper()
	_, err := c.kube.CoreV1().Secrets("default").List(nothing, allStored)
	for _, err := range []error{c.read("before"), c.readMap("before"), c.create("late"), c.createMap("late"), err} {
		mustSay(c.t, err, nilTransformer)
	}
	mustSay(c.t, c.probe("/readyz"), "[-]kms-providers failed")
}

// mustHaveAll waits until it can, and nothing was lost.
func (c *cluster) mustHaveAll() {
	c.t.Helper()
	eventually(c.t, "readyz", func() error { return c.probe("/readyz") })
	c.mustRead("before")
	must(c.t, c.readMap("before"))
	c.mustCreate("after")
	must(c.t, c.createMap("after"))
	all, err := c.kube.CoreV1().Secrets("default").List(nothing, allStored)
	must(c.t, err)
	if len(all.Items) != 2 {
		c.t.Errorf("the list has %d Secrets", len(all.Items))
	}
}

// 04: an API server that restarts while the HSM is lost reads and writes nothing, of either
// class, until it is back; then everything, with one Encrypt and one Decrypt a class.
func Test04_restarted_in_an_outage__nothing_until_the_HSM_is_back(t *testing.T) {
	c := newCluster(t)
	c.mustCreate("before")
	must(t, c.createMap("before"))
	c.loseHSM()
	c.restart("kube-apiserver", "--unready")
	c.mustHaveNothing()
	before := c.answered("secrets")
	c.restoreHSM()
	c.mustHaveAll()
	if got := c.answered("secrets").less(before); got.encrypt != 1 || got.decrypt < 1 {
		t.Errorf("after the outage: %+v", got)
	}
}

// 05: the API server first, keyward later; on a new cluster and on one with Secrets.
func Test05_keyward_later__nothing_until_it_is_there(t *testing.T) {
	c := prepareCluster(t)
	c.start("etcd", "kube-apiserver", "--unready")
	eventually(t, "the API server has begun", func() error {
		err := c.create("early")
		if err == nil || !strings.Contains(err.Error(), "namespaces \"default\" not found") && !strings.Contains(err.Error(), nilTransformer) {
			return fmt.Errorf("it says %v", err)
		}
		return nil
	})
	mustSay(t, c.probe("/readyz"), "[-]kms-providers failed")
	c.start("keyward")
	eventually(t, "a first Secret", func() error { _ = c.probe("/readyz"); return c.create("before") })
	eventually(t, "a first ConfigMap", func() error { return c.createMap("before") })

	c.stop("kube-apiserver", "keyward")
	c.start("kube-apiserver", "--unready")
	c.mustHaveNothing()
	c.start("keyward")
	c.mustHaveAll()
	if called, failed := c.called("keyward-secrets"); called.encrypt != 1 || failed == 0 {
		t.Errorf("%+v were good, %d failed", called, failed)
	}
	if strings.Contains(fmt.Sprint(c.inEtcd(secrets)), mark) {
		t.Error("a Secret lies in clear")
	}
}
