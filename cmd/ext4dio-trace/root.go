package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// version is set by the linker; without it the build information is shown.
var version string

const (
	groupTrace = "trace"
	groupModel = "model"
	groupOther = "other"
)

// run executes the command line and returns the exit status.
func run(args []string, stderr io.Writer) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetErr(stderr)
	return report(stderr, root.ExecuteContext(context.Background()))
}

// newRootCmd makes the command tree.
func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   progName,
		Short: "trace ext4 direct-I/O writes and judge the kernel's decisions",
		Long: `ext4dio-trace shows, for every direct-I/O write on a live ext4, which lock the
kernel chose and why, and proves it right or wrong against a reference model
of that kernel's logic.

Exit status: 0 fine; 1 a disagreement, a broken rule, a broken policy or a failed
validation; 2 wrong usage; 3 this machine or kernel cannot do it; 4 nothing wrong was seen,
but records were lost or incomplete, so nothing was proven; see vm --help for 5 to 8.`,
		Example: `  ext4dio-trace doctor                    can this machine be traced
  ext4dio-trace live                      watch all ext4 direct writes
  ext4dio-trace live --json -- fio j.fio  trace one command
  ext4dio-trace vm -- live                the same in a virtual machine
  ext4dio-trace explain --pos 512 --len 14336 --extents W,U,U,W`,
		Version:           versionText(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              cobra.ArbitraryArgs,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return errors.Join(checkEmpty(cmd), takeSignals(cmd)) },
		RunE:              func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.AddGroup(&cobra.Group{ID: groupTrace, Title: "Tracing:"}, &cobra.Group{ID: groupModel, Title: "Without a kernel:"},
		&cobra.Group{ID: groupOther, Title: "More:"})
	for id, cmds := range map[string][]*cobra.Command{
		groupTrace: {newLiveCmd(), newRecordCmd(), newMarkCmd(), newDoctorCmd(), newValidateCmd(), newVMCmd(), newWorkloadCmd(), newBenchCmd()},
		groupModel: {newViewCmd(), newCheckCmd(), newExportCmd(), newReportCmd(), newExplainCmd(), newRacesCmd(), newWhatifCmd(), newCompareTracesCmd(), newCoverageCmd()},
		groupOther: {newExecCmd()},
	} {
		for _, cmd := range cmds {
			cmd.GroupID = id
			root.AddCommand(cmd)
		}
	}
	addCompletions(root)
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	return root
}

// meansNone marks a flag of which an empty value has a meaning.
const meansNone = "an empty value means none"

// checkEmpty refuses flags that are given and empty, as of a shell's variable that is not set:
// what was asked for would be left out without a word.
func checkEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		empty := f.Value.Type() == "string" && f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			all := list.GetSlice()
			empty = len(all) == 0 || slices.Contains(all, "")
		}
		if _, none := f.Annotations[meansNone]; empty && !none && err == nil {
			err = usagef(cmd.CommandPath()+" --help", "--%s is empty: give it a value, or leave it away", f.Name)
		}
	})
	return err
}

// takeSignals makes SIGINT, SIGTERM and SIGHUP end the command's context, and a
// second one the process. vm passes signals on to the guest instead.
func takeSignals(cmd *cobra.Command) error {
	if cmd.Name() == "vm" {
		return nil
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
	// Whoever writes to a closed pipe gets an error instead of dying. Unlike an
	// ignored signal, a caught one is not inherited by the traced command.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return nil
}

// unknownCommand is the end of a command line that names no command.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(progName+" --help", "no command given")
	}
	hint := progName + " --help"
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		hint = progName + " " + near[0]
	}
	return usagef(hint, "unknown command %q", args[0])
}

// flagError words what pflag found wrong.
func flagError(cmd *cobra.Command, err error) error {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "unknown flag: "); ok {
		msg = "unknown flag " + name
	}
	if before, after, ok := strings.Cut(msg, ": strconv."); ok {
		msg = before + ": " + strings.ReplaceAll(after[strings.LastIndex(after, ": ")+2:], "invalid syntax", "it is no number that this can be")
	}
	return &exit.Error{Code: exit.Usage, Msg: msg, Hint: cmd.CommandPath() + " --help"}
}

// versionText tells the version and the commit that the binary was built from.
func versionText() string {
	text, commit := version, ""
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				commit = s.Value[:12]
			}
		}
		text = cmp.Or(text, info.Main.Version)
	}
	if text == "" || text == "(devel)" {
		text = "devel"
	}
	if commit != "" && !strings.Contains(text, commit) {
		text = fmt.Sprintf("%s (%s)", text, commit)
	}
	return text
}
