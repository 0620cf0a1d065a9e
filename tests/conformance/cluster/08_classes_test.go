// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"testing"
)

// 08: two classes are two providers with their own seeds; neither opens what the other sealed,
// though one KEK wraps for both.
func Test08_two_classes__neither_opens_what_the_other_sealed(t *testing.T) {
	c := newCluster(t)
	c.mustCreate("a")
	must(t, c.createMap("a"))
	secret := c.object("keyward-secrets", c.inEtcd(secrets + "a")[secrets+"a"])
	aMap := c.object("keyward-bulk", c.inEtcd(maps + "a")[maps+"a"])
	if secret == nil || aMap == nil {
		t.Fatal("not each under its own provider")
	}
	if secret.KeyID != aMap.KeyID {
		t.Errorf("key_ids %s and %s", secret.KeyID, aMap.KeyID)
	}
	if bytes.Equal(secret.EncryptedDEKSource, aMap.EncryptedDEKSource) {
		t.Error("one seed for both")
	}
	c.mustCall("secrets", calls{}, 1, 0)
	c.mustCall("bulk", calls{}, 1, 0)

	// The ConfigMap's value, said to be of the other provider.
	stored := c.inEtcd(maps + "a")[maps+"a"]
	c.put(maps+"a", bytes.Replace(stored, []byte("keyward-bulk"), []byte("keyward-secrets"), 1))
	mustSay(t, c.readMap("a"), "no matching prefix found")
	c.edit("encryption.yaml", "  - resources:\n      - configmaps\n    providers:\n", "  - resources:\n      - configmaps\n    providers:\n      - "+c.kms("secrets")+"\n")
	c.edit("encryption.yaml", "          name: keyward-secrets\n", "          name: keyward-secrets-too\n")
	c.restart("kube-apiserver", "--unready")
	mustSay(t, c.readMap("a"), "failed to decrypt DEK, error: rpc error: code = PermissionDenied")
	c.put(maps+"a", stored)
	must(t, c.readMap("a"))
}
