package emit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/prove/workload/fstests"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// nothing is the report of a variant of which no write took anything.
func nothing(v model.Variant) coverage.Report {
	return coverage.None(v)
}

func plan(t *testing.T, v model.Variant) *Plan {
	t.Helper()
	p, err := Make(nothing(v))
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range p.Tests {
		test.Number = fstests.First + i
	}
	return p
}

// Of everything that is missing, scripts take all but what xfs_io cannot do, under each variant; and
// for the rest it is said what does. The list is a golden.
func TestPlans(t *testing.T) {
	var b strings.Builder
	for _, v := range model.Variants() {
		p := plan(t, v)
		b.WriteString(p.Text() + "\n")
		taken := map[int]bool{}
		for _, test := range p.Tests {
			if len(test.Takes) == 0 {
				t.Errorf("%s: %s takes nothing", v, test.Scenario.Name)
			}
			for _, taken1 := range test.Takes {
				if taken[taken1.Point] {
					t.Errorf("%s: %s is taken twice", v, name(&p.Report.Points[taken1.Point]))
				}
				taken[taken1.Point] = true
			}
		}
		for _, o := range p.Others {
			if o.Scenario == "" {
				t.Errorf("%s: no scenario takes %s", v, name(&p.Report.Points[o.Point]))
			}
			taken[o.Point] = true
		}
		for i := range p.Report.Points {
			if want := p.Report.Points[i].State == coverage.Missing; taken[i] != want {
				t.Errorf("%s: %s: planned %v, missing %v", v, name(&p.Report.Points[i]), taken[i], want)
			}
		}
	}
	testkit.Golden(t, "plans.txt", b.String())
}

// The golden output of a test holds on every kernel, however old the time stamps are found.
func TestContentIsOfAllKernels(t *testing.T) {
	for _, v := range model.Variants() {
		for _, test := range plan(t, v).Tests {
			var want []byte
			for _, other := range model.Variants() {
				for _, stale := range []bool{false, true} {
					c, err := test.content(other, stale)
					if err != nil {
						t.Fatal(err)
					}
					got := (&fstests.Test{Files: []fstests.File{{Content: c}}}).Golden()
					if want == nil {
						want = got
					}
					if !bytes.Equal(got, want) {
						t.Errorf("%s: %s on %s holds other bytes", v, test.Scenario.Name, other)
					}
				}
			}
		}
	}
}

// Shells take what is written.
func TestSyntax(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	p := plan(t, model.Linux73)
	if err := Write(dir, []*Plan{p}); err != nil {
		t.Fatal(err)
	}
	scripts, _ := filepath.Glob(filepath.Join(dir, "*.sh"))
	tests, _ := filepath.Glob(filepath.Join(dir, Tests, "???"))
	if len(scripts) != len(p.Tests) || len(tests) != len(p.Tests) {
		t.Fatalf("%d scripts and %d tests of %d", len(scripts), len(tests), len(p.Tests))
	}
	for _, path := range slices.Concat(scripts, tests) {
		shell := "bash"
		if strings.HasSuffix(path, ".sh") {
			shell = "sh"
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s -n %s: %v\n%s", shell, path, err, out)
		}
	}
	for _, name := range []string{"901.sh", Tests + "/901", Tests + "/901.out"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, filepath.Base(name)+".txt", string(text))
	}
}

// What cannot be written whole is not there at all, so that it can be tried again.
func TestNothingHalf(t *testing.T) {
	p := plan(t, model.Linux73)
	for len(p.Tests) <= fstests.Last-fstests.First+1 { // more than there are numbers
		p.Tests = append(p.Tests, p.Tests[0])
	}
	there := t.TempDir()
	if err := Write(there, []*Plan{p}); err == nil {
		t.Error("more tests than numbers are written")
	}
	if left, err := os.ReadDir(there); err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	fresh := filepath.Join(t.TempDir(), "new")
	_ = Write(fresh, []*Plan{p}) // it fails as above
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("the new folder is left: %v", err)
	}
}

var (
	helper  = regexp.MustCompile(`(^|[\s(&|])(_[a-z]\w+)`)
	defined = regexp.MustCompile(`(?m)^(_\w+)\(\)`)
)

// The tests have the lines that reviewers of fstests want, and call no helper that the stand-in does not have: what
// runs there runs with fstests.
func TestForm(t *testing.T) {
	known := map[string]bool{}
	for _, name := range []string{"preamble", "rc", "filter"} {
		text, err := os.ReadFile("../../matrix/testdata/emit/common/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
			known[m[1]] = true
		}
	}
	var tests []string
	for _, v := range model.Variants() {
		dir := filepath.Join(t.TempDir(), "new")
		if err := Write(dir, []*Plan{plan(t, v)}); err != nil {
			t.Fatal(err)
		}
		some, _ := filepath.Glob(filepath.Join(dir, Tests, "???"))
		tests = append(tests, some...)
	}
	if len(tests) < 50 {
		t.Fatalf("%d tests", len(tests))
	}
	for _, path := range tests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		number := filepath.Base(path)
		want := "#! /bin/bash\n# SPDX-License-Identifier: GPL-2.0\n# Copyright (c) YEAR YOUR NAME HERE.  All Rights Reserved.\n#\n# FS QA Test " + number + "\n#\n"
		if !strings.HasPrefix(string(text), want) || !strings.HasSuffix(string(text), "\n# success, all done\n_exit 0\n") {
			t.Errorf("%s:\n%s", number, text)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSuffix(line, "\n"); strings.TrimRight(line, " \t") != line {
				t.Errorf("%s ends in a blank: %q", number, line)
			}
			if strings.HasPrefix(line, "#") {
				continue
			}
			for _, m := range helper.FindAllStringSubmatch(line, -1) {
				if !known[m[2]] {
					t.Errorf("%s calls %s: %s", number, m[2], line)
				}
			}
		}
	}
}
