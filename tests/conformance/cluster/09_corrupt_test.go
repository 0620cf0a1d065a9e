// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
)

// spoil stores a value whose object was changed.
func (c *cluster) spoil(key string, stored []byte, change func(*kmstypes.EncryptedObject)) {
	c.t.Helper()
	object := c.object("keyward-secrets", stored)
	change(object)
	text, err := proto.Marshal(object)
	must(c.t, err)
	c.put(key, append([]byte("k8s:enc:kms:v2:keyward-secrets:"), text...))
}

// 09: one value in etcd is damaged.  It alone cannot be read, and says why; the list of all
// Secrets cannot be had either, the others one by one can; the value put back is good again.
func Test09_damaged_value__it_alone_and_the_list(t *testing.T) {
	c := newCluster(t)
	c.mustCreate("good", "bad")
	const key = secrets + "bad"
	stored := c.inEtcd(key)[key]
	list := func() error {
		_, err := c.kube.CoreV1().Secrets("default").List(nothing, allStored)
		return err
	}
	for _, damage := range []struct {
		change func(*kmstypes.EncryptedObject)
		says   string
	}{
		{func(o *kmstypes.EncryptedObject) { o.EncryptedData[40] ^= 1 }, "cipher: message authentication failed"},
		{func(o *kmstypes.EncryptedObject) { o.EncryptedDEKSource[30] ^= 1 }, "code = InvalidArgument"},
		{func(o *kmstypes.EncryptedObject) { o.KeyID = "kw1-9-000000000000000000000000" }, "code = NotFound"},
	} {
		before := c.answered("secrets")
		c.spoil(key, stored, damage.change)
		mustSay(t, c.read("bad"), damage.says)
		mustSay(t, list(), "unable to transform key \""+key+"\"", damage.says)
		c.mustRead("good")
		c.mustCreate("meanwhile")
		must(t, c.kube.CoreV1().Secrets("default").Delete(nothing, "meanwhile", deletion))
		if got := c.answered("secrets").less(before); got.encrypt != 0 || (got.decrypt > 0) != strings.HasPrefix(damage.says, "code") {
			t.Errorf("%s: %+v", damage.says, got)
		}
	}
	// At another key it is of no use either: its place is sealed in.
	c.put(secrets+"copy", stored)
	mustSay(t, c.read("copy"), "cipher: message authentication failed")
	c.take(secrets + "copy")

	c.put(key, stored)
	c.mustRead("good", "bad")
	eventually(t, "the list", list)
}
