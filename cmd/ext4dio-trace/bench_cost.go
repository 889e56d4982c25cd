package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/bench/cost"
	"github.com/ext4dio/ext4dio-trace/workload"
)

// costFlags are the flags of bench cost.
type costFlags struct {
	dir, bpftrace     string
	scripts, captures []string
	loads             []string
	opts              cost.Options
	json              bool
	out               string
}

// newCostCmd makes the command that measures what tracing costs.
func newCostCmd() *cobra.Command {
	var f costFlags
	cmd := &cobra.Command{
		Use:   "cost --dir DIR",
		Short: "what tracing costs each write, beside bpftrace",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runCost(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.dir, "dir", "", "directory on an ext4 in which to make "+cost.DirName)
	fl.StringSliceVar(&f.captures, "attach", []string{"session", "fentry"}, "our ways to attach that are measured")
	fl.StringVar(&f.bpftrace, "bpftrace", "bpftrace", "the bpftrace `PROGRAM`, or a folder with it and its libraries")
	fl.StringArrayVar(&f.scripts, "script", nil, "measure this bpftrace `SCRIPT` too (repeatable)")
	fl.IntVar(&f.opts.Rounds, "rounds", 10, "rounds; each tracer is measured once in a round")
	fl.DurationVar(&f.opts.For, "for", 500*time.Millisecond, "how long each load runs each time")
	fl.StringSliceVar(&f.loads, "loads", []string{"direct"}, "what is measured: direct, unrelated, or names of loads")
	fl.BoolVar(&f.opts.Stats, "programs", false, "list the runs and times of each BPF program, too")
	fl.BoolVar(&f.json, "json", false, "one JSON object instead of tables")
	fl.StringVarP(&f.out, "output", "o", "", "write the JSON to `FILE` too")
	return cmd
}

func runCost(ctx context.Context, f *costFlags) error {
	if f.dir == "" {
		return usagef(progName+" bench cost --dir /mnt", "no --dir given")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	for _, how := range f.captures {
		f.opts.Tracers = append(f.opts.Tracers, &cost.Tracer{
			Name: how, Ours: true, Count: cost.CountDrained,
			Args: []string{self, "bench", "drain", "--pid", "PID", "--attach", how},
		})
	}
	for _, script := range f.scripts {
		args, err := bpftraceArgs(f.bpftrace, script)
		if err != nil {
			return err
		}
		name := "bpftrace " + strings.TrimSuffix(filepath.Base(script), ".bt")
		f.opts.Tracers = append(f.opts.Tracers, &cost.Tracer{Name: name, Count: cost.CountScript, Args: args})
	}
	if f.opts.Loads, err = cost.LoadsNamed(f.loads); err != nil {
		return usagef("", "%v", err)
	}
	f.opts.Notice = func(s string) { note(os.Stderr, "%s", s) }
	if f.opts.Scratch, err = os.MkdirTemp("", "ext4dio-cost-"); err != nil {
		return fmt.Errorf("make a directory for output: %w", err)
	}
	dir, err := workload.OpenDir(f.dir, cost.DirName)
	if err != nil {
		return benchError(err)
	}
	rep, err := cost.Measure(ctx, dir, f.opts)
	err = errors.Join(err, dir.Close(false), os.RemoveAll(f.opts.Scratch))
	if err != nil {
		return benchError(err)
	}
	rep.Tool, rep.Kernel = versionText(), kernelName()
	raw, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	raw = append(raw, '\n')
	if f.out != "" {
		if err := os.WriteFile(f.out, raw, 0o644); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if f.json {
		_, err = os.Stdout.Write(raw)
		return err
	}
	return rep.Text(os.Stdout)
}

// bpftraceArgs is the command line of a script. A folder holds a bpftrace of another
// system, with that one's loader and C library.
func bpftraceArgs(program, script string) ([]string, error) {
	args := []string{program}
	if st, err := os.Stat(program); err == nil && st.IsDir() {
		found, err := filepath.Glob(filepath.Join(program, "usr/lib64/ld-linux-*.so.*"))
		if err != nil || len(found) != 1 {
			return nil, usagef("scripts/bpftrace.sh makes such a folder", "no bpftrace with its loader in %s", program)
		}
		libs, err := filepath.Glob(filepath.Join(program, "usr/lib/*-linux-gnu"))
		if err != nil || len(libs) == 0 {
			return nil, usagef("scripts/bpftrace.sh makes such a folder", "no libraries in %s", program)
		}
		args = []string{found[0], "--library-path", libs[0], filepath.Join(program, "usr/bin/bpftrace")}
	}
	// The scripts take two numbers: lines for each lookup, and the process.
	return append(args, script, "0", "PID"), nil
}
