package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
)

// leftOut are filters that no write of ours passes: process 2 is kthreadd and device 0:1
// holds no ext4; an ext4 keeps its bad blocks in inode 1.
var leftOut = map[string]string{"pid": "2", "dev": "0:1", "ino": "1"}

// tracers are those that the flags ask for.
func (f *costFlags) tracers() ([]*cost.Tracer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	ours := func(name string, filter ...string) *cost.Tracer {
		how, _, _ := strings.Cut(name, " ")
		return &cost.Tracer{
			Name: name, Ours: true, Stats: true, Count: cost.CountDrained, LossStatus: exitUnproven,
			Args: append([]string{self, "bench", "drain", "--attach", how}, filter...),
		}
	}
	var all []*cost.Tracer
	for _, how := range f.attach {
		ways := []string{probes.HowSession, probes.HowMulti, probes.HowFentry, probes.HowKprobe}
		if !slices.Contains(ways, how) {
			return nil, usagef("--attach "+strings.Join(ways, ","), "unknown way to attach %q", how)
		}
		all = append(all, ours(how, "--pid", "PID"))
		for _, what := range f.leaves {
			value, ok := leftOut[what]
			if !ok {
				return nil, usagef("--leave-out pid,dev,ino", "no filter %q can leave all out", what)
			}
			t := ours(how+" --"+what, "--"+what, value)
			t.LeavesOut = true
			all = append(all, t)
		}
	}
	for _, script := range f.scripts {
		args, err := bpftraceArgs(f.bpftrace, script)
		if err != nil {
			return nil, err
		}
		all = append(all, &cost.Tracer{Name: strings.TrimSuffix(filepath.Base(script), ".bt"), Count: cost.CountScript, Lost: cost.ScriptLost, Args: args})
	}
	return all, nil
}

// bpftraceHint says how to come by a bpftrace.
const bpftraceHint = "scripts/bpftrace.sh ./bpftrace, and then --bpftrace ./bpftrace"

// bpftraceArgs is the command line of a script. A folder holds a bpftrace of another
// system, with that one's loader and C library.
func bpftraceArgs(program, script string) ([]string, error) {
	if _, err := os.Stat(script); err != nil {
		return nil, usagef("", "--script: %v", err)
	}
	// The scripts take two numbers: lines for each lookup, and the process.
	after := []string{script, "0", "PID"}
	if st, err := os.Stat(program); err != nil || !st.IsDir() {
		path, err := exec.LookPath(program)
		if err != nil {
			return nil, usagef(bpftraceHint, "--bpftrace: %v", err)
		}
		return append([]string{path}, after...), nil
	}
	loader, err := only(filepath.Join(program, "usr/lib64/ld-linux-*.so.*"))
	if err != nil {
		return nil, err
	}
	libs, err := only(filepath.Join(program, "usr/lib/*-linux-gnu"))
	if err != nil {
		return nil, err
	}
	return append([]string{loader, "--library-path", libs, filepath.Join(program, "usr/bin/bpftrace")}, after...), nil
}

// only finds the one file of a pattern.
func only(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", usagef(bpftraceHint, "--bpftrace: %d files are named %s, not one", len(found), pattern)
	}
	return found[0], nil
}
