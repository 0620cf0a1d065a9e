// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kmstypes "k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2"
)

// mark is in every value that a test stores.
const mark = "in-no-file-of-etcd"

var (
	nothing   = context.Background()
	newObject = metav1.CreateOptions{}
	asStored  = metav1.GetOptions{}  // from etcd, not from the watch cache
	allStored = metav1.ListOptions{} // the same
)

func text(name string) string { return mark + " " + name }

// create makes a Secret of the name.
func (c *cluster) create(name string) error {
	_, err := c.kube.CoreV1().Secrets("default").Create(nothing, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{"text": []byte(text(name))}}, newObject)
	return err
}

func (c *cluster) mustCreate(names ...string) {
	c.t.Helper()
	for _, name := range names {
		must(c.t, c.create(name))
	}
}

// createMap makes a ConfigMap of the name.
func (c *cluster) createMap(name string) error {
	_, err := c.kube.CoreV1().ConfigMaps("default").Create(nothing, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"text": text(name)}}, newObject)
	return err
}

// read asks for a Secret, which must be as create made it.
func (c *cluster) read(name string) error {
	got, err := c.kube.CoreV1().Secrets("default").Get(nothing, name, asStored)
	if err == nil && string(got.Data["text"]) != text(name) {
		err = fmt.Errorf("%s says %q", name, got.Data["text"])
	}
	return err
}

func (c *cluster) readMap(name string) error {
	got, err := c.kube.CoreV1().ConfigMaps("default").Get(nothing, name, asStored)
	if err == nil && got.Data["text"] != text(name) {
		err = fmt.Errorf("%s says %q", name, got.Data["text"])
	}
	return err
}

func (c *cluster) mustRead(names ...string) {
	c.t.Helper()
	for _, name := range names {
		must(c.t, c.read(name))
	}
}

const (
	secrets = "/registry/secrets/default/"
	maps    = "/registry/configmaps/default/"
)

// object takes a stored value apart; nil when the provider did not write it.
func (c *cluster) object(provider string, stored []byte) *kmstypes.EncryptedObject {
	c.t.Helper()
	sealed, found := bytes.CutPrefix(stored, []byte("k8s:enc:kms:v2:"+provider+":"))
	if !found {
		return nil
	}
	object := &kmstypes.EncryptedObject{}
	must(c.t, proto.Unmarshal(sealed, object))
	return object
}

// keyIDs are those of all Secrets in etcd, and how many each has.
func (c *cluster) keyIDs() map[string]int {
	c.t.Helper()
	found := map[string]int{}
	for key, stored := range c.inEtcd(secrets) {
		object := c.object("keyward-secrets", stored)
		if object == nil {
			c.t.Fatalf("%s begins %q", key, stored[:min(len(stored), 40)])
		}
		found[object.KeyID]++
	}
	return found
}
