// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// block is what stands between two fences of a page.
type block struct {
	kind  string // behind the first fence
	lines []string
	at    int // its first line's number
}

// blocks are all of a page of docs/.
func blocks(t *testing.T, name string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(setting(t, "KEYWARD_SOURCE") + "/docs/" + name)
	must(t, err)
	inside := false
	for i, line := range strings.Split(string(text), "\n") {
		switch kind, fence := strings.CutPrefix(line, "```"); {
		case fence && !inside:
			all, inside = append(all, block{kind: kind, at: i + 2}), true
		case fence:
			inside = false
		case inside:
			last := &all[len(all)-1]
			last.lines = append(last.lines, line)
		}
	}
	if len(all) == 0 || inside {
		t.Fatalf("%s has no blocks, or a last one without an end", name)
	}
	return all
}

// pattern is a line of a page as what a program says must match: … is anything.
func pattern(line string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$")
}

func saysLine(said []string, line string) bool {
	wanted := pattern(line)
	for _, s := range said {
		if wanted.MatchString(s) {
			return true
		}
	}
	return false
}

// walk runs the blocks of commands of a page in one shell, and looks for what is shown behind
// each in what that said.
func walk(t *testing.T, name, folder string, environment ...string) {
	t.Helper()
	all := blocks(t, name)
	var script strings.Builder
	for i, b := range all {
		if b.kind == "sh" {
			fmt.Fprintf(&script, "echo; echo '@@ %d'\n%s\n", i, strings.Join(b.lines, "\n"))
		}
	}
	cmd := exec.Command("/bin/bash", "-euo", "pipefail", "-c", script.String())
	cmd.Dir, cmd.Env = folder, environment
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	said := map[int][]string{}
	last := -1
	for _, line := range strings.Split(out.String(), "\n") {
		if number, mark := strings.CutPrefix(line, "@@ "); mark {
			last, _ = strconv.Atoi(number)
		} else {
			said[last] = append(said[last], line)
		}
	}
	if err != nil {
		t.Fatalf("%s, the block at line %d: %v\n%s", name, all[max(last, 0)].at, err, tail(out.String(), 4000))
	}
	for i, b := range all {
		if b.kind != "text" {
			continue
		}
		for _, line := range b.lines {
			if !saysLine(said[i-1], line) {
				t.Errorf("%s, line %d on: %q was not said:\n%s", name, b.at, line, strings.Join(said[i-1], "\n"))
			}
		}
	}
}

// 20: docs/TUTORIAL.md, from its first command to its last.
func Test20_TUTORIAL__each_command_and_what_it_shows(t *testing.T) {
	source := setting(t, "KEYWARD_SOURCE")
	dir, err := os.MkdirTemp("", "keyward-tu-")
	must(t, err)
	t.Cleanup(func() {
		if _, err := os.Stat(dir + "/cluster"); err == nil {
			_ = exec.Command(source+"/ci/cluster", "down", "--state", dir).Run()
		}
		_ = os.RemoveAll(dir)
	})
	walk(t, "TUTORIAL.md", source, "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "KEYWARD_CLUSTER="+dir,
		"KEYWARD_CLUSTER_UNTIL="+strconv.Itoa(os.Getpid()))
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}
