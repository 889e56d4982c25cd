package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// workloadDir is the directory that is made below --dir.
const workloadDir = "ext4dio-workload"

// workloadFlags are the options of the workload command.
type workloadFlags struct {
	cfg  workload.Config
	dir  string
	pace time.Duration
	keep bool
}

// workloadNames are the workloads, each with a line of help.
func workloadNames() [][2]string {
	return append(workload.Names(), [2]string{workload.FragmentsName, workload.FragmentsHelp},
		[2]string{workload.EOFTailName, workload.EOFTailHelp})
}

// newWorkloadCmd makes the command that makes direct writes to look at.
func newWorkloadCmd() *cobra.Command {
	var f workloadFlags
	var names strings.Builder
	for _, n := range workloadNames() {
		fmt.Fprintf(&names, "  %-16s %s\n", n[0], n[1])
	}
	cmd := &cobra.Command{
		Use:   "workload [NAME] --dir DIR",
		Short: "make real direct writes to look at",
		Long: `workload makes O_DIRECT writes on a mounted ext4. They follow from the seed
alone. It works in a directory of its own, DIR/` + workloadDir + `, and removes it at
the end; it never writes anywhere else. The names (default ` + workload.DefaultName + `):
` + names.String(),
		Example: `  ext4dio-trace workload --dir /mnt
  ext4dio-trace workload stripes --dir /mnt --tasks 8 --pace 2ms
  ext4dio-trace live -- ext4dio-trace workload mixed --dir /mnt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef(cmd.CommandPath()+" --help", "one workload at a time: %q", args[1:])
			}
			if len(args) == 1 {
				f.cfg.Name = args[0]
			}
			return runWorkload(cmd, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.dir, "dir", "", "directory on an ext4 in which to make "+workloadDir)
	fl.IntVar(&f.cfg.Tasks, "tasks", workload.DefaultTasks, "writers at the same time")
	fl.IntVar(&f.cfg.Writes, "writes", workload.DefaultWrites, "writes of each writer")
	fl.Uint64Var(&f.cfg.Seed, "seed", 1, "the same seed gives the same writes")
	fl.Int64Var(&f.cfg.FileSize, "file-size", workload.DefaultFileSize, "bytes of the file that is overwritten")
	fl.DurationVar(&f.pace, "pace", 0, "pause of each writer between two writes")
	fl.BoolVar(&f.keep, "keep", false, "leave the directory and its files")
	return cmd
}

// runWorkload makes the writes and prints one line of what was done.
func runWorkload(cmd *cobra.Command, f workloadFlags) (err error) {
	if f.dir == "" {
		return usagef(cmd.CommandPath()+" --dir /mnt", "no --dir given")
	}
	if f.pace < 0 {
		return usagef(cmd.CommandPath()+" --help", "--pace is negative")
	}
	dir, err := workload.OpenDir(f.dir, workloadDir)
	if err != nil {
		return workloadError(err)
	}
	defer func() {
		if e := dir.Close(f.keep); err == nil {
			err = workloadError(e)
		}
	}()
	switch f.cfg.Name {
	case workload.EOFTailName:
		return runEOFTail(cmd, dir, f.cfg.Writes)
	case workload.FragmentsName:
		sum, err := workload.Fragments(cmd.Context(), dir, f.cfg.Writes, f.cfg.FileSize)
		if err == nil {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), sum)
		}
		return workloadError(err)
	}
	plan, err := workload.NewPlan(f.cfg, dir.FS)
	if err != nil {
		return workloadError(err)
	}
	sum, err := workload.Run(cmd.Context(), dir, plan, f.pace, f.keep)
	if err != nil {
		return workloadError(err)
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), sum); err != nil {
		return workloadError(err)
	}
	if n := sum.Failed(); n > 0 {
		return &exit.Error{Code: exit.Disagree, Msg: fmt.Sprintf("%d of %d writes failed", n, sum.Issued)}
	}
	return nil
}

// runEOFTail makes the two writes of eof-tail over and over and says what became
// of them.
func runEOFTail(cmd *cobra.Command, dir *workload.Dir, rounds int) error {
	sum, err := workload.EOFTail(cmd.Context(), dir, rounds)
	if err != nil {
		return workloadError(err)
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), sum); err != nil {
		return workloadError(err)
	}
	if sum.Lost > 0 {
		return &exit.Error{
			Code: exit.Disagree, Msg: fmt.Sprintf("%d bytes that were written are not there", sum.Bytes),
			Hint: progName + " races --variant linux-7.3 --scenario eof-tail",
		}
	}
	return nil
}

// workloadError turns an error of package workload into what main exits with.
func workloadError(err error) error {
	return writeFailed(err, "workload", "free some space there, or name another place", progName+" vm -- workload --dir /mnt")
}

// writeFailed turns an error of package workload, or of what is built on it, into what main
// exits with. The command is without the name of this program; space is the hint where there
// is no room, other that of errors of any other kind, which may be empty.
func writeFailed(err error, command, space, other string) error {
	var worded *exit.Error
	if err == nil || errors.As(err, &worded) {
		return err
	}
	out := &exit.Error{Code: exit.Unfit, Msg: err.Error(), Hint: other}
	switch {
	case errors.Is(err, workload.ErrUsage):
		out.Code, out.Hint = exit.Usage, progName+" "+command+" --help"
	case errors.Is(err, workload.ErrNotOurs):
		out.Code, out.Hint = exit.Usage, "name another --dir, or remove what is in the way"
	case errors.Is(err, workload.ErrBusy):
		out.Code, out.Hint = exit.Usage, "name another --dir, or wait for the other run"
	case errors.Is(err, unix.ENOSPC):
		out.Hint = space
	case errors.Is(err, workload.ErrUnfit):
		out.Hint = progName + " vm -- " + command + " --dir /mnt"
	}
	return out
}
