// Package matrix runs validate under several kernels, and makes one table of kernels and
// patches.
package matrix

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
)

// Kernel is one kernel of a matrix.
type Kernel struct {
	Kernel  string `json:"kernel"`
	Status  int    `json:"status"`            // exit status of vm
	End     string `json:"end"`               // the same in a word, see exit.Word
	Message string `json:"message,omitempty"` // the last of its stderr, when there is no report
	// Report is what validate wrote, null when it wrote none.
	Report json.RawMessage `json:"report"`

	seen report
}

// report is what the table shows of a report.
type report struct {
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

// Matrix is validate under several kernels side by side.
type Matrix struct {
	Kernels []string
	Jobs    int       // machines at a time, one at least
	Self    string    // path of this program
	Flags   []string  // of vm, as they were typed
	OutDir  string    // each kernel has a folder in it; empty: nothing comes back
	Args    []string  // of the subcommand, which writes JSON
	Log     io.Writer // takes what the machines say, in whole lines
}

// Run carries out all kernels, in their order.
func (m *Matrix) Run(ctx context.Context) []Kernel {
	runs := make([]Kernel, len(m.Kernels))
	free := make(chan struct{}, m.Jobs)
	var wait sync.WaitGroup
	for i, k := range m.Kernels {
		runs[i].Kernel = k
		wait.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			m.one(ctx, &runs[i])
		})
	}
	wait.Wait()
	for i := range runs {
		runs[i].End = exit.Word(runs[i].Status)
	}
	return runs
}

// one runs one kernel.
func (m *Matrix) one(ctx context.Context, r *Kernel) {
	args := append([]string{"vm", "--kernel", r.Kernel}, m.Flags...)
	if m.OutDir != "" {
		args = append(args, "--out", filepath.Join(m.OutDir, strings.NewReplacer("/", "_", ":", "_", ",", "_").Replace(r.Kernel)))
	}
	cmd := exec.CommandContext(ctx, m.Self, append(append(args, "--"), m.Args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err == nil {
		fmt.Fprintf(m.Log, "ext4dio-trace: %s: started\n", r.name())
		err = cmd.Start()
	}
	if err != nil {
		r.Status, r.Message = exit.Unfit, err.Error()
		return
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		r.Message = lines.Text()
		fmt.Fprintf(m.Log, "%s: %s\n", r.name(), lines.Text())
	}
	err = cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		r.Status = ended.ExitCode()
	} else if err != nil {
		r.Status, r.Message = exit.Unfit, err.Error()
	}
	if json.Unmarshal(out.Bytes(), &r.seen) == nil {
		r.Report = json.RawMessage(bytes.TrimSpace(out.Bytes()))
	} else if r.Status == 0 {
		r.Status = exit.Unproven
	}
}

// Worst is the exit status for all: a failure before anything else.
func Worst(runs []Kernel) int {
	out := 0
	for _, code := range []int{exit.Unproven, exit.Unfit, exit.NoKernel, exit.NotBooted, exit.Usage, exit.Hung, exit.Panicked, exit.Disagree} {
		if slices.ContainsFunc(runs, func(r Kernel) bool { return r.Status == code }) {
			out = code
		}
	}
	if out == 0 && slices.ContainsFunc(runs, func(r Kernel) bool { return r.Status != 0 }) {
		return exit.Unfit
	}
	return out
}

// signs stand for the answers in the table.
var signs = map[series.Answer]string{series.Present: "+", series.Absent: "-", series.Contradictory: "!", series.NotTestable: "?"}

// WriteText writes a line for each kernel, and below it what was wrong.
func WriteText(w io.Writer, runs []Kernel) error {
	var b strings.Builder
	width := len("kernel")
	for i := range runs {
		width = max(width, len(runs[i].name()))
	}
	fmt.Fprintf(&b, "%-*s  %-18s %s  %9s %6s %6s  %9s %10s  %s\n", width, "kernel", "variant",
		"1 2 3 4 5 6 7 8", "scenarios", "failed", "skip", "generated", "storms", "result")
	for i := range runs {
		r := &runs[i]
		if r.Report == nil {
			fmt.Fprintf(&b, "%-*s  no report (%s): %s\n", width, r.name(), exit.Word(r.Status), r.Message)
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

// name is how the table calls a kernel: by its file's name without the
// folders, or as it was named.
func (r *Kernel) name() string {
	if strings.HasPrefix(r.Kernel, "debian:") {
		return r.Kernel
	}
	return strings.TrimSuffix(filepath.Base(r.Kernel), ".bzImage")
}

func (r *Kernel) row(b *strings.Builder, width int) {
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
	fmt.Fprintf(b, "%-*s  %-18s %s  %9d %6d %6d  %9d %10d  %s (%s, %.0f s)\n", width, r.name(), s.Variant,
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
