package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/prove/validate/emit"
)

// coverageEmit is what coverage does about points that are missing.
type coverageEmit struct {
	missing bool
	dir     string
}

func (e *coverageEmit) register(fl *pflag.FlagSet) {
	fl.BoolVar(&e.missing, "missing", false, "list only what was not taken")
	fl.StringVar(&e.dir, "emit", "", "with --missing: write tests that take it into this new `DIR`")
}

// check refuses what cannot be, before anything is read.
func (e *coverageEmit) check(f *coverageFlags) error {
	switch {
	case e.missing && len(f.against) > 0:
		return usagef("--against FILE, or --missing", "--missing and --against do not go together")
	case e.missing && e.dir == "" && f.form() != "":
		return usagef("--missing, or "+f.form(), "--missing lists what was not taken as text, and %s does not", f.form())
	case e.dir == "":
		return nil
	case !e.missing:
		return usagef("--missing --emit "+e.dir, "--emit writes tests for what is missing, and goes with --missing")
	}
	there, err := os.ReadDir(e.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--emit DIR", "cannot write tests: %v", err)
	case len(there) > 0:
		return usagef("--emit with a new folder", "%s is not empty: tests are written into a new folder", e.dir)
	}
	return nil
}

// form is the flag that asks for something else than the text; empty for the text.
func (f *coverageFlags) form() string {
	switch {
	case f.json:
		return "--json"
	case f.html:
		return "--html"
	case f.ktap:
		return "--ktap"
	case f.by.mark():
		return "--by mark"
	}
	return ""
}

// shown are reports of what is asked for.
func (e *coverageEmit) shown(reports []coverage.Report) []coverage.Report {
	if !e.missing {
		return reports
	}
	out := slices.Clone(reports)
	for i := range out {
		out[i].Points = slices.DeleteFunc(slices.Clone(out[i].Points), func(p coverage.Point) bool { return p.State != coverage.Missing })
	}
	return out
}

// tests writes the tests. Of a variant of which no write counts nothing is known to be missing.
func (e *coverageEmit) tests(reports []coverage.Report) error {
	if e.dir == "" {
		return nil
	}
	var plans []*emit.Plan
	tests, writes := 0, uint64(0)
	for i := range reports {
		writes += reports[i].Writes
		if reports[i].Writes == 0 || reports[i].Taken == reports[i].Reachable {
			continue
		}
		p, err := emit.Make(reports[i])
		if err != nil {
			return err
		}
		tests += len(p.Tests)
		plans = append(plans, p)
	}
	switch {
	case writes == 0: // the status says it
		return nil
	case len(plans) == 0:
		note(os.Stderr, "nothing is missing: no test was written")
		return nil
	}
	if err := emit.Write(e.dir, plans); errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) {
		return usagef("--emit with a new folder", "cannot write tests: %v", err)
	} else if err != nil {
		return err
	}
	note(os.Stderr, "%d tests are in %s: %s says what each of them takes", tests, e.dir, filepath.Join(e.dir, emit.Index))
	return nil
}
