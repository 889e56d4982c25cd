package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// namespaceEnv holds the process that has a mount namespace of its own.
const namespaceEnv = "EXT4DIO_MOUNT_NAMESPACE"

func (o *validateOptions) configs() ([]target.Config, error) {
	if o.config == "" {
		return target.ParseConfigs(target.DefaultConfigs)
	}
	return target.ParseConfigs(o.config)
}

// runConfigs carries out the scenarios on a file system of each configuration.
func (o *validateOptions) runConfigs(ctx context.Context, scenarios []validate.Scenario) error {
	configs, err := o.configs()
	if err != nil {
		return err
	}
	dev, err := o.open(ctx)
	if err != nil {
		return targetError(err)
	}
	// The file systems on it are ours alone, so whoever writes there does it for us.
	all := probes.Filter{Dev: dev.Disk.Major<<20 | dev.Disk.Minor}
	err = o.traced(all, func(x *validation) error { return targetError(x.runEach(ctx, dev, configs, scenarios)) })
	if o.image != "" && !o.keep {
		err = errors.Join(err, dev.RemoveImage())
	}
	return errors.Join(err, dev.Close())
}

// open gets hold of the disk or image in a mount namespace of our own.
func (o *validateOptions) open(ctx context.Context) (*target.Device, error) {
	root := os.DirFS("/")
	if o.device != "" {
		if _, err := target.Inspect(root, o.device); err != nil {
			return nil, err
		}
	}
	if err := enterNamespace(); err != nil {
		return nil, err
	}
	if o.image != "" {
		return target.OpenImage(o.image)
	}
	disk, err := target.Inspect(root, o.device)
	if err != nil {
		return nil, err
	}
	dev, err := target.Claim(disk)
	if err != nil {
		return nil, err
	}
	if err := o.confirm(ctx, dev); err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return dev, nil
}

// enterNamespace executes this program again in a mount namespace of its own,
// unless it is there already.
func enterNamespace() error {
	pid := strconv.Itoa(os.Getpid())
	if os.Getenv(namespaceEnv) == pid {
		return nil
	}
	if err := target.EnterNamespace(); err != nil {
		return err
	}
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, namespaceEnv+"=") })
	return fmt.Errorf("execute this program again: %w", syscall.Exec("/proc/self/exe", os.Args, append(env, namespaceEnv+"="+pid)))
}

// confirm makes sure that this is the disk the user means.
func (o *validateOptions) confirm(ctx context.Context, dev *target.Device) error {
	name := dev.Disk.Path
	switch {
	case o.yes:
		return nil
	case dev.Content.Foreign:
		return usagef("add --yes if it may be destroyed", "%s holds %s", name, dev.Content.Text)
	case !isTerminal(os.Stdin) || !isTerminal(os.Stderr):
		return usagef("add --yes", "there is no terminal to ask whether %s may be destroyed", name)
	}
	for line := range strings.Lines(dev.Describe()) {
		note(os.Stderr, "%s", line)
	}
	note(os.Stderr, "everything on it will be destroyed; type its name to go on:")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return &exitError{code: exitUsage, msg: "nothing was written"}
	case got := <-answer:
		if got != name {
			return &exitError{code: exitUsage, msg: "that is not its name; nothing was written"}
		}
	}
	return nil
}

// runEach makes the configurations one after the other.
func (x *validation) runEach(ctx context.Context, dev *target.Device, configs []target.Config, scenarios []validate.Scenario) error {
	x.meter.expect(len(configs) * x.amount(scenarios))
	if err := x.identifyOn(ctx, dev, configs[0]); err != nil {
		return err
	}
	for _, c := range configs {
		x.meter.config = c.Name
		done, err := x.runConfig(ctx, dev, c, scenarios)
		if done != nil {
			x.out.Configs = append(x.out.Configs, done)
		}
		if err != nil {
			return fmt.Errorf("configuration %s: %w", c.Name, err)
		}
		x.meter.clear()
		note(os.Stderr, "%s: %s", c.Name, done.Summary())
	}
	return nil
}

// identifyOn finds the variant on a file system of the default configuration, as
// others do not let every decision be seen. It is not needed when that
// configuration is the first anyway.
func (x *validation) identifyOn(ctx context.Context, dev *target.Device, first target.Config) error {
	if x.variant != 0 || first.Name == target.DefaultConfig {
		return nil
	}
	def, err := target.ParseConfigs(target.DefaultConfig)
	if err != nil {
		return err
	}
	_, err = dev.Use(ctx, def[0], func(dir string) error {
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

func (x *validation) runConfig(ctx context.Context, dev *target.Device, c target.Config, scenarios []validate.Scenario) (*outcome.Config, error) {
	var done *outcome.Config
	mountPoint := ""
	fsck, err := dev.Use(ctx, c, func(dir string) error {
		mountPoint = dir
		var err error
		if done, err = x.run(ctx, dir, scenarios, true); err != nil {
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
	case errors.As(err, &not):
		return &outcome.Config{Name: c.Name, NotPossible: not.Reason}, nil
	case errors.Is(err, workload.ErrUnfit) && done.Empty():
		return &outcome.Config{Name: c.Name, NotPossible: strings.ReplaceAll(err.Error(), mountPoint, "")}, nil
	}
	if done != nil {
		done.Name, done.Checked = c.Name, fsck != nil
		if fsck != nil && !fsck.Clean {
			done.Fsck = fsck.Output
		}
	}
	return done, err
}

// targetError turns an error of package target into what main exits with.
func targetError(err error) error {
	var exit *exitError
	var refused *target.RefusedError
	var unfit *hint.UnfitError
	switch {
	case errors.As(err, &exit):
		return exit
	case errors.Is(err, context.Canceled):
		return &exitError{code: exitUnfit, msg: "ended by a signal; the file system is unmounted again"}
	case errors.As(err, &refused):
		return &exitError{code: exitUsage, msg: refused.Msg, hint: refused.Hint}
	case errors.As(err, &unfit):
		return &exitError{code: exitUnfit, msg: unfit.Error(), hint: unfit.Hint}
	}
	return workloadError(err)
}
