package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// needFile wants the name of a trace.
func needFile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(cmd.CommandPath()+" trace.e4d", "no trace given")
	}
	return nil
}

// openTraces opens the files of one or several recordings. The error is one of usage
// when a file is not there or is no trace.
func openTraces(paths []string) ([]*tracefile.Recording, error) {
	if len(paths) == 1 && paths[0] == "-" {
		r, err := tracefile.NewReader(os.Stdin)
		if err != nil {
			return nil, notATrace(err)
		}
		return []*tracefile.Recording{tracefile.NewRecording(r)}, nil
	}
	all, err := tracefile.OpenRecordings(paths...)
	return all, notATrace(err)
}

// notATrace makes the errors of opening a trace ones of usage. One that a later version
// has made is a matter of this machine.
func notATrace(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tracefile.ErrVersion):
		return &exit.Error{Code: exit.Unfit, Msg: err.Error(), Hint: "use a newer " + progName}
	case errors.Is(err, tracefile.ErrFormat), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return &exit.Error{Code: exit.Usage, Msg: err.Error()}
	}
	return err
}

// openTrace opens the files of the one recording that a command takes. The hint is what can
// be typed instead of several, done what would be done with them.
func openTrace(paths []string, hint, done string) (*tracefile.Recording, error) {
	all, err := openTraces(paths)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		closeTraces(all)
		return nil, usagef(hint, "%d recordings are given, and one can be %s", len(all), done)
	}
	return all[0], nil
}

func closeTraces(all []*tracefile.Recording) {
	for _, r := range all {
		_ = r.Close() // nothing was written
	}
}
