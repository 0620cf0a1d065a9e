// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"testing"
)

// 02: each restart of the API server is a seed: one Encrypt for the new one, one Decrypt for
// each that something in etcd lies under, however many that are.
func Test02_restarts__one_Encrypt_and_one_Decrypt_for_each_seed(t *testing.T) {
	c := newCluster(t)
	for seeds := range 4 {
		if seeds > 0 {
			before := c.answered("secrets")
			c.restart("kube-apiserver")
			c.mustRead("s0", fmt.Sprintf("s%d", 10*seeds-1))
			c.mustCall("secrets", before, 1, seeds)
		}
		must(t, each(10, func(i int) error { return c.create(fmt.Sprintf("s%d", 10*seeds+i)) }))
	}
	// The daemon's cache goes with it, and nobody notices but the token.
	before := calls{}
	c.stop("kube-apiserver")
	c.restart("keyward")
	c.start("kube-apiserver")
	c.mustRead("s0", "s10", "s20", "s30")
	c.mustCall("secrets", before, 1, 4)
}
