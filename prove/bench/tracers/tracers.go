package tracers

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
)

// leftOut are filters that no write of ours passes: process 2 is kthreadd and device 0:1
// holds no ext4; an ext4 keeps its bad blocks in inode 1.
var leftOut = map[string]string{"pid": "2", "dev": "0:1", "ino": "1"}

// Choice says which tracers are measured.
type Choice struct {
	Attach   []string // our ways to attach
	Holders  []string // values of --holders, besides the default
	LeaveOut []string // filters that leave all out: pid, dev, ino
	Budget   bool     // each of them with --budget, too
	Scripts  []string // files of bpftrace scripts
	Bpftrace string   // the program, or a folder that holds one with its libraries
}

// Tracers makes those that are chosen; self is the path of this program. Errors are those of
// usage.
func (c *Choice) Tracers(self string) ([]*cost.Tracer, error) {
	ours := func(name string, filter ...string) *cost.Tracer {
		how, _, _ := strings.Cut(name, " ")
		return &cost.Tracer{
			Name: name, Ours: true, Stats: true, Count: cost.CountDrained, LossStatus: exit.Unproven,
			Args: append([]string{self, "bench", "drain", "--attach", how}, filter...),
		}
	}
	var all []*cost.Tracer
	for _, how := range c.Attach {
		ways := []string{probes.HowSession, probes.HowMulti, probes.HowFentry, probes.HowKprobe}
		if !slices.Contains(ways, how) {
			return nil, hint.Usagef("--attach "+strings.Join(ways, ","), "unknown way to attach %q", how)
		}
		all = append(all, ours(how, "--pid", "PID"))
		if c.Budget {
			all = append(all, ours(how+" --budget", "--budget", "--pid", "PID"))
		}
		for _, what := range c.Holders {
			if !slices.Contains(probes.HoldersWays, what) {
				return nil, hint.Usagef("--holders auto,all,off", "unknown holders %q", what)
			}
			all = append(all, ours(how+" --holders "+what, "--pid", "PID", "--holders", what))
		}
		for _, what := range c.LeaveOut {
			value, ok := leftOut[what]
			if !ok {
				return nil, hint.Usagef("--leave-out pid,dev,ino", "no filter %q can leave all out", what)
			}
			t := ours(how+" --"+what, "--"+what, value)
			t.LeavesOut = true
			all = append(all, t)
		}
	}
	for _, script := range c.Scripts {
		args, err := bpftraceArgs(c.Bpftrace, script)
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
	if !probes.FirstPidNamespace() {
		return nil, hint.Unfitf("run it outside the container", "the scripts compare with numbers of the first pid namespace, and this is another one")
	}
	if _, err := os.Stat(script); err != nil {
		return nil, hint.Usagef("", "--script: %v", err)
	}
	// The scripts take two numbers: lines for each lookup, and the process.
	after := []string{script, "0", "PID"}
	if st, err := os.Stat(program); err != nil || !st.IsDir() {
		path, err := exec.LookPath(program)
		if err != nil {
			return nil, hint.Usagef(bpftraceHint, "--bpftrace: %v", err)
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
		return "", hint.Usagef(bpftraceHint, "--bpftrace: %d files are named %s, not one", len(found), pattern)
	}
	return found[0], nil
}
