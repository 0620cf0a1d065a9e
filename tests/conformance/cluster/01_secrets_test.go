// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// 01: what an API server's life begins with.  A thousand Secrets cost one Encrypt, are all
// read back, and lie in no file of etcd in clear; a name that is not encrypted is found there.
func Test01_thousand_Secrets__one_Encrypt_and_none_in_clear(t *testing.T) {
	c := newCluster(t)
	must(t, each(1000, func(i int) error { return c.create(fmt.Sprintf("s%d", i)) }))
	must(t, each(1000, func(i int) error { return c.read(fmt.Sprintf("s%d", i)) }))
	all, err := c.kube.CoreV1().Secrets("default").List(nothing, allStored)
	must(t, err)
	if len(all.Items) != 1000 {
		t.Errorf("the list has %d", len(all.Items))
	}
	c.mustCall("secrets", calls{}, 1, 0)
	if ids := c.keyIDs(); len(ids) != 1 {
		t.Errorf("key_ids: %v", ids)
	}

	_, err = c.kube.CoreV1().Namespaces().Create(nothing, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "open", Annotations: map[string]string{"text": "in-a-file-of-etcd"}}}, newObject)
	must(t, err)
	c.stop("kube-apiserver", "etcd") // all is in the files then
	if files := c.filesWith("in-a-file-of-etcd"); len(files) < 2 {
		t.Errorf("what is in clear is in %v: neither in the log nor in the database", files)
	}
	if files := c.filesWith(mark); len(files) != 0 {
		t.Errorf("in clear in %v", files)
	}
}
