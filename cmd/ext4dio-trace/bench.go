package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/prove/bench/watch"
	"github.com/ext4dio/ext4dio-trace/prove/validate/campaign"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// benchFlags are the flags of bench test1, test2 and all.
type benchFlags struct {
	opts  bench.Options
	to    validateOptions // of which only where to write
	kept  keptFlags
	trace bool
}

// newBenchCmd makes the command that repeats the tests of the series.
func newBenchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench {test1|test2|all|compare}",
		Short: "repeat the two tests of the series' cover letter, and its tables",
		Long: `The series "ext4: allow more DIO writes under shared i_rwsem" was measured with two
tests. bench repeats them, and sets the results of several kernels side by side
as its cover letter does.`,
		Example: `  ext4dio-trace bench all --dir /mnt -o now.json
  ext4dio-trace bench all --device /dev/sdX --destroy-data -o now.json
  ext4dio-trace vm --kernel ./bzImage --null-blk 512M --latency 5ms -- bench all --dir /mnt --writes 128 --json > patched.json
  ext4dio-trace bench compare base.json patched.json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd.CommandPath()+" --help", "no test given")
			}
			return usagef(cmd.CommandPath()+" --help", "no test is called %q", args[0])
		},
	}
	all := bench.Tests()
	for _, t := range all {
		cmd.AddCommand(newBenchTestCmd(t.Name, t.Title, []bench.Test{t}))
	}
	cmd.AddCommand(newBenchTestCmd("all", "both tests, one after the other", all), newCompareCmd(), newCostCmd(), newDrainCmd())
	return cmd
}

// newBenchTestCmd makes the command that runs tests.
func newBenchTestCmd(name, short string, tests []bench.Test) *cobra.Command {
	f := benchFlags{to: validateOptions{Options: campaign.Options{Variant: "auto"}}}
	cmd := &cobra.Command{
		Use:   name + " {--dir DIR | --device DEV --destroy-data}",
		Short: short,
		Long: `Every job writes its own region of one file in order: one task, O_DIRECT, one
pwrite() after the other. test1 writes 8192 bytes over each border from a
written to an unwritten block. test2 writes 14336 bytes at +512 of each stripe of
16 KiB laid out written, unwritten, unwritten, written, so that the partial blocks
at its head and tail are written.

The file is laid out anew before each step, and the layout verified by FIEMAP; the
bytes are read back after it (beyond 64 MiB in a sample). It lies in a directory
of its own, DIR/` + bench.DirName + `, which is removed at the end. With --device it makes
an ext4 on a disk that holds nothing you need, mounts it where no other process
sees it, and checks it with e2fsck at the end. A disk that is mounted, held, swap,
divided or read-only is refused.

A step lasts for the time of --for, and the file is laid out again, with the clock
stopped, when a job is at the end of its region. With --writes each job makes so many
writes instead, as in the cover letter (131072 in test 1, 65536 in test 2).
Only then can wall times be compared.

With --trace each step is run twice, first untraced, then traced. The table then
has the share of exclusive locks, the time waited for i_rwsem, what was lost, and
the IOPS of both runs.

How i_rwsem is held shows where writers wait for the disk. Where one writer alone
keeps a CPU busy, as on most memory-backed disks, a shared lock gains no more than
there are CPUs; bench says so, from the writer's CPU time. "vm --latency" makes a
disk that is slow.

Exit status 1: bytes were wrong, e2fsck found an error, or the model disagreed with
the kernel; 4: records were lost, so the share of exclusive locks is not certain.`,
		Example: `  ext4dio-trace bench ` + name + ` --dir /mnt
  ext4dio-trace bench ` + name + ` --dir /mnt --jobs 1,4,16 --for 10s --trace -o base.json
  ext4dio-trace bench ` + name + ` --device /dev/sdX --destroy-data -o base.json
  ext4dio-trace vm --null-blk 512M --latency 5ms -- bench ` + name + ` --dir /mnt --writes 128`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), &f, tests) },
	}
	f.addFlags(cmd.Flags())
	return cmd
}

func (f *benchFlags) addFlags(fl *pflag.FlagSet) {
	fl.SortFlags = false
	f.to.register(fl, bench.DirName)
	fl.IntSliceVar(&f.opts.Jobs, "jobs", bench.DefaultJobs(), "writers at the same time, one step for each number")
	fl.DurationVar(&f.opts.For, "for", 0, "how long a step lasts (default "+bench.DefaultFor.String()+")")
	fl.IntVar(&f.opts.Writes, "writes", 0, "writes of each job in each step, instead of --for")
	fl.BoolVar(&f.trace, "trace", false, "run each step once more with the tracer on")
	fl.BoolVar(&f.kept.json, "json", false, "one JSON object for each test instead of a table")
	fl.StringVarP(&f.kept.out, "output", "o", "", "write the JSON to `FILE` too, for compare")
}

// runBench runs tests in one directory or on one disk and shows their reports.
func runBench(ctx context.Context, f *benchFlags, tests []bench.Test) error {
	if err := f.checkTarget(); err != nil {
		return err
	}
	if err := f.opts.Check(); err != nil {
		return benchError(err)
	}
	if f.trace {
		if err := watch.Possible(); err != nil {
			return err
		}
		f.opts.Watch = watch.Start
	}
	if err := f.kept.check(); err != nil {
		return err
	}
	f.opts.Progress = benchProgress
	run := runInDir
	if f.to.device != "" {
		run = runOnDevice
	}
	all, err := run(ctx, f, tests)
	// What was measured before something went wrong took its time too.
	shown := show(f.kept, os.Stdout, all)
	if isClosedPipe(shown) {
		shown = nil
	}
	noteFastDisk(all)
	return foremost(benchError(err), shown, benchStatus(all))
}

// runInDir runs tests in a directory of the user's.
func runInDir(ctx context.Context, f *benchFlags, tests []bench.Test) ([]*bench.Report, error) {
	dir, err := workload.OpenDir(f.to.dir, bench.DirName)
	if err != nil {
		return nil, err
	}
	all, err := runTests(ctx, dir, tests, f.opts)
	return all, errors.Join(err, dir.Close(false))
}

// runTests runs tests one after the other, and returns the reports of what came to its
// end.
func runTests(ctx context.Context, dir *workload.Dir, tests []bench.Test, o bench.Options) ([]*bench.Report, error) {
	var all []*bench.Report
	for _, t := range tests {
		rep, err := bench.Run(ctx, dir, t, o)
		if rep != nil {
			rep.Tool, rep.Kernel = versionText(), session.RunningKernel()
			all = append(all, rep)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// benchProgress tells of a step that is over.
func benchProgress(t bench.Test, s bench.Step) {
	text := fmt.Sprintf("%s, jobs %d: %.0f IOPS", t.Name, s.Jobs, s.IOPS)
	if s.Traced != nil {
		text += fmt.Sprintf(", traced %.0f", s.Traced.IOPS)
	}
	note(os.Stderr, "%s", text)
}

// checkTarget finds what makes no sense in the flags that say where to write. A disk
// is given up in the same words as for validate.
func (f *benchFlags) checkTarget() error {
	switch {
	case f.to.dir == "" && f.to.device == "":
		return usagef(progName+" bench all --dir /mnt", "no --dir or --device given")
	case f.to.dir != "" && f.to.device != "":
		return usagef(progName+" bench all --help", "--dir and --device exclude each other")
	}
	return f.to.check()
}

// runOnDevice makes a file system on a disk that the user gave up, and runs tests on it.
func runOnDevice(ctx context.Context, f *benchFlags, tests []bench.Test) ([]*bench.Report, error) {
	dev, err := f.to.open(ctx)
	if err != nil {
		return nil, targetError(err)
	}
	dev.Room = f.opts.Room(tests)
	var all []*bench.Report
	fsck, err := dev.Use(ctx, target.Default(), func(dir string) error {
		var err error
		in := *f
		in.to.dir = dir
		all, err = runInDir(ctx, &in, tests)
		return err
	}, nil)
	for _, rep := range all {
		rep.Dir = f.to.device
	}
	if err == nil && fsck != nil && !fsck.Clean {
		err = &exit.Error{Code: exit.Disagree, Msg: fmt.Sprintf("e2fsck finds errors on %s: %s", f.to.device, strings.TrimSpace(fsck.Output))}
	}
	return all, deviceError(errors.Join(err, dev.Close()))
}

// deviceError words an error of package target; one of the tests is left as it is.
func deviceError(err error) error {
	var not *target.NotPossibleError
	var refused *target.RefusedError
	var unfit *hint.UnfitError
	switch {
	case errors.As(err, &not):
		return &exit.Error{Code: exit.Unfit, Msg: not.Reason}
	case errors.As(err, &refused), errors.As(err, &unfit), errors.Is(err, context.Canceled):
		return targetError(err)
	}
	return err
}

// littleGain is the gain below which the way i_rwsem is held is not worth measuring:
// in the cover letter it is 6.8 in test 2.
const littleGain = 4

// noteFastDisk tells where differences of the lock cannot show.
func noteFastDisk(all []*bench.Report) {
	for _, rep := range all {
		if text := fastDisk(rep); text != "" {
			note(os.Stderr, "%s", text)
		}
	}
}

// fastDisk says why differences of the lock do not show in a report, and what to type
// instead; "" when they do, or when it is not known.
func fastDisk(rep *bench.Report) string {
	gain, ok := rep.MostGain()
	if !ok || gain >= littleGain {
		return ""
	}
	return fmt.Sprintf("%s: one writer alone keeps a CPU busy for %.0f%% of the time, so on this disk and %d CPUs differences of the lock do not show "+
		"beyond %.1fx; on a slow disk they do: %s vm --null-blk 512M --latency 5ms -- bench %s --dir /mnt --writes 128",
		rep.Test, min(100, 100*float64(rep.CPUs)/gain), rep.CPUs, max(1, gain), progName, rep.Test)
}

// benchStatus is the end of a run as an error: nil when all is well.
func benchStatus(all []*bench.Report) error {
	unproven := false
	for _, rep := range all {
		if n, first := rep.Wrong(); n > 0 {
			return &exit.Error{Code: exit.Disagree, Msg: fmt.Sprintf("%s: %d bytes are not what was written: %s", rep.Test, n, first)}
		}
		for _, s := range rep.All() {
			if s.Traced == nil {
				continue
			}
			if s.Traced.Disagree > 0 {
				return &exit.Error{Code: exit.Disagree, Hint: progName + " live --only differs,unsafe,slower",
					Msg: fmt.Sprintf("%s: the model disagrees with %d of %d writes", rep.Test, s.Traced.Disagree, s.Traced.Seen)}
			}
			unproven = unproven || s.Traced.Unproven
		}
	}
	if unproven {
		return &exit.Error{Code: exit.Unproven, Msg: "records were lost, so the share of exclusive locks is not certain"}
	}
	return nil
}

// benchError turns an error of a run into what main exits with.
func benchError(err error) error {
	return writeFailed(err, "bench all", "fewer --writes or --jobs, or another disk", "")
}

// keptFlags say in which form measurements are shown, and where they are kept.
type keptFlags struct {
	json bool
	out  string // a file of JSON, too; empty: none
}

// check makes sure that the file can be written before anything is measured.
func (f keptFlags) check() error {
	if f.out == "" {
		return nil
	}
	return outfile.Check(nil, outfile.Out{Path: outfile.Stdout}, outfile.Out{Flag: "-o", Path: f.out})
}

// show writes reports to w, and keeps them in the file.
func show[R interface{ Text(io.Writer) error }](f keptFlags, w io.Writer, all []R) error {
	var lines, text bytes.Buffer
	for i, rep := range all {
		if i > 0 {
			text.WriteByte('\n')
		}
		if err := writeJSON(&lines, rep); err != nil {
			return err
		}
		if err := rep.Text(&text); err != nil {
			return err
		}
	}
	if f.out != "" {
		if err := (outfile.Out{Flag: "-o", Path: f.out}).Write(func(w io.Writer) error {
			_, err := w.Write(lines.Bytes())
			return err
		}); err != nil {
			return err
		}
	}
	shown := &text
	if f.json {
		shown = &lines
	}
	if _, err := shown.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
