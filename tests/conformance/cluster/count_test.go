// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"keyward/conformance/common"
)

// calls are the RPCs of one class, of one method each.
type calls struct{ status, encrypt, decrypt int }

func (c calls) less(before calls) calls {
	return calls{c.status - before.status, c.encrypt - before.encrypt, c.decrypt - before.decrypt}
}

// answered is what the daemon says of a class since it started.
func (c *cluster) answered(class string) calls {
	s := c.class(class)
	return calls{s.StatusCalls, s.EncryptCalls, s.DecryptCalls}
}

// classStatus is what the status socket says of one class.
type classStatus struct {
	Name         string `json:"name"`
	StatusCalls  int    `json:"status_calls"`
	EncryptCalls int    `json:"encrypt_calls"`
	DecryptCalls int    `json:"decrypt_calls"`
	Cache        struct {
		Entries int `json:"entries"`
	} `json:"cache"`
	Budget int `json:"outage_budget_ms"`
}

func (c *cluster) class(name string) classStatus {
	c.t.Helper()
	var status classStatus
	common.StatusOf(c.t, c.path("keyward/run/status.sock"), name, &status)
	return status
}

// called is what the API server says of a provider since it started; every call that failed
// is in failed.
func (c *cluster) called(provider string) (good calls, failed int) {
	c.t.Helper()
	text, err := c.kube.RESTClient().Get().AbsPath("/metrics").DoRaw(context.Background())
	must(c.t, err)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	must(c.t, err)
	for _, m := range families["apiserver_envelope_encryption_kms_operations_latency_seconds"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.Label {
			labels[l.GetName()] = l.GetValue()
		}
		count := int(m.GetHistogram().GetSampleCount())
		if labels["provider_name"] != provider {
			continue
		}
		if labels["grpc_status_code"] != "OK" {
			failed += count
			continue
		}
		switch labels["method_name"] {
		case "/v2.KeyManagementService/Status":
			good.status += count
		case "/v2.KeyManagementService/Encrypt":
			good.encrypt += count
		case "/v2.KeyManagementService/Decrypt":
			good.decrypt += count
		}
	}
	return good, failed
}

// mustCall compares Encrypt and Decrypt of a class since `before`, of both sides; the API
// server has counted since it started.
func (c *cluster) mustCall(class string, before calls, encrypt, decrypt int) {
	c.t.Helper()
	answered := c.answered(class).less(before)
	called, failed := c.called("keyward-" + class)
	want := fmt.Sprintf("%d Encrypt, %d Decrypt", encrypt, decrypt)
	for side, got := range map[string]calls{"keywardd": answered, "kube-apiserver": called} {
		if said := fmt.Sprintf("%d Encrypt, %d Decrypt", got.encrypt, got.decrypt); said != want {
			c.t.Errorf("%s counts of class %s %s, not %s", side, class, said, want)
		}
	}
	if failed != 0 {
		c.t.Errorf("%d calls of class %s failed", failed, class)
	}
}

// spellings are a text and its base64 at each of the three places where it can begin.
func spellings(text string) [][]byte {
	forms := [][]byte{[]byte(text)}
	for skip := range 3 {
		padded := strings.Repeat("\x00", skip) + text
		encoded := base64.StdEncoding.EncodeToString([]byte(padded[:len(padded)-len(padded)%3]))
		forms = append(forms, []byte(encoded[(skip*4+2)/3:])) // what the text alone decides
	}
	return forms
}

// each does it n times, many at once.
func each(n int, do func(i int) error) error {
	return common.Each(n, 32, do)
}

func TestSpellings__found_wherever_it_begins(t *testing.T) {
	for skip := range 4 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + "a mark of a test" + "yz"))
		found := false
		for _, form := range spellings("a mark of a test") {
			found = found || strings.Contains(text, string(form))
		}
		if !found {
			t.Errorf("not found after %d bytes in %s", skip, text)
		}
	}
}
