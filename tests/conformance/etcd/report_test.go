// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// report is what keyward etcd audit --json says.
type report struct {
	s       *site
	Exit    int
	OK      bool
	Verdict string
	Next    []string
	Objects []struct {
		Where, Resource, Namespace, Name, Why string
		Revision, Index                       int64
		Kind                                  string `json:"stored_as"`
	}
	Rows []row
	// Seeds of KMS v2
	Seeds []struct {
		Seed, Provider                      string
		KeyID                               string `json:"key_id"`
		Current, Historic, Unreachable, Log int
		Opens                               string
		OpensWhy                            string `json:"opens_why"`
	}
	Restore *struct {
		Verdict        string
		Token          string
		Seeds, Objects map[string]int // by how they open
		Others         int            `json:"objects_of_others"`
	}
	Database *struct {
		Trailer         string
		Revision        int64
		CompactRevision int64 `json:"compact_revision"`
		Keys            int
	}
	Log *struct {
		Gapless bool
		Last    uint64 `json:"last_index"`
		Puts    int
	}
	Inputs []struct{ Kind, Path, Unread string }
	Unread []unread
}

type unread struct {
	Where  string
	Things int
	Marked int
	Why    string `json:"first_why"`
}

type row struct {
	Resource                            string
	Kind                                string `json:"stored_as"`
	Provider                            string
	KeyID                               string `json:"key_id"`
	Type                                int
	Why                                 string
	Current, Historic, Unreachable, Log sum
}

const anyStatus = -1

// audit runs keyward etcd audit, which must end with the status.
func (s *site) audit(status int, args ...string) *report {
	s.t.Helper()
	cmd := exec.Command(s.path("bin/keyward"), append([]string{"etcd", "audit", "--json"}, args...)...)
	cmd.Dir, cmd.Env = s.dir, s.environment(nil)
	var said, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &errs
	err := cmd.Run()
	s.said.Write(said.Bytes())
	s.said.Write(errs.Bytes())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status && status != anyStatus {
		s.t.Fatalf("keyward etcd audit %s: %d, not %d\n%s%s", strings.Join(args, " "), got, status, &said, &errs)
	}
	r := &report{s: s}
	if err := json.Unmarshal(said.Bytes(), r); err != nil {
		s.t.Fatalf("%v:\n%s", err, &said)
	}
	if got := cmd.ProcessState.ExitCode(); r.Exit != got || r.OK != (got == 0) {
		s.t.Errorf("it ended with %d and says %d, %t", got, r.Exit, r.OK)
	}
	return r
}

// found are the objects that may not be so: "place resource namespace/name how".
func (r *report) found() []string {
	var found []string
	for _, o := range r.Objects {
		found = append(found, fmt.Sprintf("%s %s %s/%s %s", o.Where, o.Resource, o.Namespace, o.Name, o.Kind))
	}
	slices.Sort(found)
	return found
}

func (r *report) mustFind(want ...string) {
	r.s.t.Helper()
	slices.Sort(want)
	if got := r.found(); !slices.Equal(got, want) {
		r.s.t.Errorf("found:\n  %s\nnot:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// mustCount compares every number of every row.
func (r *report) mustCount(want map[cell]sum) {
	r.s.t.Helper()
	got := map[cell]sum{}
	for _, row := range r.Rows {
		as := storedAs{row.Kind, row.Provider, row.KeyID, row.Type}
		for where, n := range map[string]sum{"current": row.Current, "historic": row.Historic,
			"unreachable": row.Unreachable, "log": row.Log} {
			if n != (sum{}) {
				got[cell{row.Resource, as, where}] = n
			}
		}
	}
	for c := range maps.Keys(got) {
		if _, due := want[c]; !due {
			r.s.t.Errorf("%+v: %+v, and nothing such was written", c, got[c])
		}
	}
	for c, n := range want {
		if got[c] != n {
			r.s.t.Errorf("%+v: %+v, written were %+v", c, got[c], n)
		}
	}
}

// why is what the row of such objects says.
func (r *report) why(as storedAs) string {
	for _, row := range r.Rows {
		if (storedAs{row.Kind, row.Provider, row.KeyID, row.Type}) == as {
			return row.Why
		}
	}
	r.s.t.Fatalf("no row of %+v", as)
	return ""
}
