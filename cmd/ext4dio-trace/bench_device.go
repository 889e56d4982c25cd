package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
)

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
