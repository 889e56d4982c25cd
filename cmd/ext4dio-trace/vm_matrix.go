package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
)

// matrixRun is one kernel of a matrix.
type matrixRun struct {
	Kernel  string `json:"kernel"`
	Status  int    `json:"status"`            // exit status of vm
	Message string `json:"message,omitempty"` // the last of its stderr, when there is no report
	// Report is what validate wrote, null when it wrote none.
	Report json.RawMessage `json:"report"`

	seen matrixReport
}

// matrixReport is what the table shows of a report.
type matrixReport struct {
	Kernel  string
	Variant string
	Seconds float64
	Series  struct {
		Patches []struct {
			Patch  int
			Answer series.Answer
		}
	}
	Configs []struct {
		Name      string
		Scenarios struct{ Passed, Failed, Skipped int }
		Generated struct{ Writes int }
		Storms    struct{ Storms []struct{ Writes int } }
	}
	Failures []struct {
		What     string
		Concerns []int
	}
	Result string
	Why    []string
}

// matrix runs validate under several kernels side by side, and writes one table of
// kernels and patches.
type matrix struct {
	kernels []string
	jobs    int
	flags   []string // of vm, as they were typed
	outDir  string   // --out
	args    []string // of the subcommand
	json    bool     // wanted by the user
}

// newMatrix reads the flags of vm.
func newMatrix(v *vmFlags, fl *pflag.FlagSet, args []string) (*matrix, error) {
	m := &matrix{kernels: strings.Split(v.matrix, ","), jobs: v.jobs, args: args, json: slices.Contains(args, "--json")}
	switch {
	case fl.Changed("kernel"):
		return nil, &hint.UsageError{Msg: "--kernel and --matrix exclude each other"}
	case len(args) == 0 || args[0] != "validate":
		return nil, &hint.UsageError{Msg: "--matrix makes a table of validate, and of nothing else", Hint: "vm --matrix " + v.matrix + " -- validate --device /dev/sda --destroy-data --yes"}
	case slices.Contains(m.kernels, ""):
		return nil, &hint.UsageError{Msg: "--matrix: an empty name among the kernels"}
	case m.jobs < 0:
		return nil, &hint.UsageError{Msg: "--jobs must not be negative"}
	}
	if m.jobs == 0 {
		m.jobs = runtime.NumCPU()
	}
	if !m.json {
		m.args = append(slices.Clone(args), "--json")
	}
	fl.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "matrix", "jobs":
		case "out":
			m.outDir = f.Value.String()
		default:
			m.flags = append(m.flags, typed(f)...)
		}
	})
	return m, nil
}

// typed is a flag as it would be typed.
func typed(f *pflag.Flag) []string {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return []string{"--" + f.Name + "=" + f.Value.String()}
	}
	var out []string
	for _, value := range list.GetSlice() {
		out = append(out, "--"+f.Name+"="+value)
	}
	return out
}

// run carries out all kernels and returns the exit status: the worst of theirs.
func (m *matrix) run(ctx context.Context) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	runs := make([]matrixRun, len(m.kernels))
	free := make(chan struct{}, m.jobs)
	var wait sync.WaitGroup
	for i, k := range m.kernels {
		runs[i].Kernel = k
		wait.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			m.one(ctx, self, &runs[i])
		})
	}
	wait.Wait()
	if m.json {
		err = writeJSON(runs)
	} else {
		err = writeMatrix(os.Stdout, runs)
	}
	return worst(runs), err
}

// one runs one kernel.
func (m *matrix) one(ctx context.Context, self string, r *matrixRun) {
	args := append([]string{"vm", "--kernel", r.Kernel}, m.flags...)
	if m.outDir != "" {
		args = append(args, "--out", filepath.Join(m.outDir, strings.NewReplacer("/", "_", ":", "_", ",", "_").Replace(r.Kernel)))
	}
	cmd := exec.CommandContext(ctx, self, append(append(args, "--"), m.args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err == nil {
		note(os.Stderr, "%s: started", matrixName(r))
		err = cmd.Start()
	}
	if err != nil {
		r.Status, r.Message = exitUnfit, err.Error()
		return
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		r.Message = lines.Text()
		fmt.Fprintf(os.Stderr, "%s: %s\n", matrixName(r), lines.Text())
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.Status = exit.ExitCode()
	} else if err != nil {
		r.Status, r.Message = exitUnfit, err.Error()
	}
	if json.Unmarshal(out.Bytes(), &r.seen) == nil {
		r.Report = json.RawMessage(bytes.TrimSpace(out.Bytes()))
	} else if r.Status == 0 {
		r.Status = exitUnproven
	}
}

// worst is the exit status for all: a failure before anything else.
func worst(runs []matrixRun) int {
	out := 0
	for _, code := range []int{exitUnproven, exitUnfit, exitUsage, exitDisagree} {
		if slices.ContainsFunc(runs, func(r matrixRun) bool { return r.Status == code }) {
			out = code
		}
	}
	if out == 0 && slices.ContainsFunc(runs, func(r matrixRun) bool { return r.Status != 0 }) {
		return exitUnfit
	}
	return out
}

// signs stand for the answers in the table.
var signs = map[series.Answer]string{series.Present: "+", series.Absent: "-", series.Contradictory: "!", series.NotTestable: "?"}

// writeMatrix writes a line for each kernel, and below it what was wrong.
func writeMatrix(w io.Writer, runs []matrixRun) error {
	var b strings.Builder
	width := len("kernel")
	for i := range runs {
		width = max(width, len(matrixName(&runs[i])))
	}
	fmt.Fprintf(&b, "%-*s  %-18s %s  %9s %6s %6s  %9s %10s  %s\n", width, "kernel", "variant",
		"1 2 3 4 5 6 7 8", "scenarios", "failed", "skip", "generated", "storms", "result")
	for i := range runs {
		r := &runs[i]
		if r.Report == nil {
			fmt.Fprintf(&b, "%-*s  no report (exit status %d): %s\n", width, matrixName(r), r.Status, r.Message)
			continue
		}
		r.row(&b, width)
	}
	b.WriteString("patches: + present, - absent, ! contradictory, ? not testable here\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// matrixName is how the table calls a kernel: by its file's name without the
// folders, or as it was named.
func matrixName(r *matrixRun) string {
	if strings.HasPrefix(r.Kernel, "debian:") {
		return r.Kernel
	}
	return strings.TrimSuffix(filepath.Base(r.Kernel), ".bzImage")
}

func (r *matrixRun) row(b *strings.Builder, width int) {
	s := &r.seen
	marks := strings.Split(strings.Repeat("?", 8), "")
	for _, p := range s.Series.Patches {
		if p.Patch >= 1 && p.Patch <= len(marks) {
			marks[p.Patch-1] = signs[p.Answer]
		}
	}
	passed, failed, skipped, generated, concurrent := 0, 0, 0, 0, 0
	for _, c := range s.Configs {
		passed += c.Scenarios.Passed
		failed += c.Scenarios.Failed
		skipped += c.Scenarios.Skipped
		generated += c.Generated.Writes
		for _, st := range c.Storms.Storms {
			concurrent += st.Writes
		}
	}
	release, _, _ := strings.Cut(s.Kernel, " ")
	fmt.Fprintf(b, "%-*s  %-18s %s  %9d %6d %6d  %9d %10d  %s (%s, %.0f s)\n", width, matrixName(r), s.Variant,
		strings.Join(marks, " "), passed, failed, skipped, generated, concurrent, s.Result, release, s.Seconds)
	for _, why := range s.Why {
		fmt.Fprintf(b, "%-*s  %s\n", width, "", why)
	}
	for i, f := range s.Failures {
		if i == 3 {
			fmt.Fprintf(b, "%-*s  … and %d more\n", width, "", len(s.Failures)-i)
			break
		}
		fmt.Fprintf(b, "%-*s  wrong: %s%s\n", width, "", f.What, series.ConcernText(f.Concerns))
	}
}
