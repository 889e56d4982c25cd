package campaign

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Configs does all that is wanted on a file system of each configuration, one after the
// other. The errors are those of packages target and workload, among others.
func (x *Run) Configs(ctx context.Context, dev *target.Device, configs []target.Config) error {
	defer x.meter.clear()
	x.meter.expect(len(configs) * x.amount())
	if err := x.identifyOn(ctx, dev, configs[0]); err != nil {
		return err
	}
	for _, c := range configs {
		x.meter.config = c.Name
		done, err := x.runConfig(ctx, dev, c)
		if done != nil {
			x.Outcome.Configs = append(x.Outcome.Configs, done)
		}
		if err != nil {
			return fmt.Errorf("configuration %s: %w", c.Name, err)
		}
		x.meter.clear()
		x.opts.Note(c.Name + ": " + done.Summary())
	}
	return nil
}

// identifyOn finds the variant on a file system of the default configuration, as
// others do not let every decision be seen. It is not needed when that
// configuration is the first anyway.
func (x *Run) identifyOn(ctx context.Context, dev *target.Device, first target.Config) error {
	if x.variant != 0 || first.Name == target.Default().Name {
		return nil
	}
	_, err := dev.Use(ctx, target.Default(), func(dir string) error {
		if err := x.tellPatches(ctx, dir); err != nil {
			return err
		}
		x.variant = x.id.Best()
		return nil
	}, nil)
	return err
}

// verify compares the files once more, after the file system was mounted again.
func verify(ctx context.Context, dir string, done *outcome.Config) error {
	done.Remounted = true
	err := done.Scenarios.Verify(ctx, dir)
	if done.Generated != nil {
		err = errors.Join(err, done.Generated.Verify(ctx, dir))
	}
	return err
}

func (x *Run) runConfig(ctx context.Context, dev *target.Device, c target.Config) (*outcome.Config, error) {
	var done *outcome.Config
	mountPoint := ""
	fsck, err := dev.Use(ctx, c, func(dir string) error {
		mountPoint = dir
		var err error
		if done, err = x.run(ctx, dir, true); err != nil {
			return err
		}
		return x.prepareCacheMiss(dir)
	}, func(dir string) error {
		if err := x.cacheMiss(ctx, dir, false); err != nil {
			return err
		}
		return verify(ctx, dir, done)
	})
	var not *target.NotPossibleError
	switch {
	// What was done before it could not be mounted again counts.
	case errors.As(err, &not) && done.Empty():
		return &outcome.Config{Name: c.Name, NotPossible: not.Reason}, nil
	case errors.Is(err, workload.ErrUnfit) && done.Empty():
		return &outcome.Config{Name: c.Name, NotPossible: strings.ReplaceAll(err.Error(), mountPoint, "")}, nil
	}
	if done != nil {
		// What a disk that failed left of the file system is not the kernel's doing.
		done.Name, done.Checked = c.Name, fsck != nil && !trial.IsDisk(err)
		if done.Checked && !fsck.Clean {
			done.Fsck = fsck.Output
		}
	}
	return done, err
}
