// SPDX-License-Identifier: Apache-2.0

// Command kube-apiserver is Kubernetes' own, built from its modules, with the two hooks that
// upstream's tests have: nothing in it waits three minutes, and nothing in it is patched.
package main

import (
	"os"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/server/options/encryptionconfig/controller"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// KEYWARD_KUBE_AHEAD  "FILE NAME…": by how much (a Go duration) the clock of the KMS providers
// NAME is ahead; the file is read again each time
// KEYWARD_KUBE_RELOAD  how often the file of --encryption-provider-config is looked at
func main() {
	if words := strings.Fields(os.Getenv("KEYWARD_KUBE_AHEAD")); len(words) > 1 {
		for _, name := range words[1:] {
			kmsv2.SetNowFuncForTests(name, func() time.Time { return time.Now().Add(ahead(words[0])) })
		}
	}
	if every := os.Getenv("KEYWARD_KUBE_RELOAD"); every != "" {
		duration, err := time.ParseDuration(every)
		if err != nil {
			panic(err)
		}
		controller.EncryptionConfigFileChangePollDuration = duration
	}
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}

func ahead(file string) time.Duration {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	duration, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		panic(err)
	}
	return duration
}
