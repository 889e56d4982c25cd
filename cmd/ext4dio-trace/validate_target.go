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

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/validate"
	"github.com/ext4dio/ext4dio-trace/validate/target"
	"github.com/ext4dio/ext4dio-trace/workload"
)

// namespaceEnv holds the process that has a mount namespace of its own.
const namespaceEnv = "EXT4DIO_MOUNT_NAMESPACE"

// check finds what makes no sense in the flags.
func (o *validateOptions) check() error {
	given := 0
	for _, s := range []string{o.dir, o.device, o.image} {
		if s != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return usagef(progName+" validate --dir /mnt", "no --dir, --device or --image given")
	case given > 1:
		return usagef(progName+" validate --help", "--dir, --device and --image exclude each other")
	case o.writes < 0 || o.number < 0:
		return usagef("--writes 5000", "--writes and --case must not be negative")
	case o.number > 0 && o.seed == 0:
		return usagef("--seed 7 --case "+strconv.Itoa(o.number), "--case without --seed")
	case o.dir != "" && o.config != "":
		return usagef("--device or --image", "--config needs a file system to make; --dir has one")
	case o.device == "" && o.destroyData:
		return usagef("--device /dev/sdX --destroy-data", "--destroy-data without --device")
	case o.device != "" && !o.destroyData:
		return usagef("--device "+o.device+" --destroy-data", "everything on %s would be lost, and --destroy-data is not given", o.device)
	}
	if _, err := o.configs(); err != nil {
		return usagef("--config "+strings.Join(target.ConfigNames(), ","), "%v", err)
	}
	return nil
}

func (o *validateOptions) configs() ([]target.Config, error) {
	if o.config == "" {
		return target.ParseConfigs(target.DefaultConfig)
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
	err = o.traced(func(x *validation) error {
		set, err := x.runEach(ctx, dev, configs, scenarios)
		if err != nil {
			if len(set.Configs) > 0 { // what was done is not lost
				err = errors.Join(err, x.report(set, new(record.Losses)))
			}
			return targetError(err)
		}
		if set.NotPossible == len(set.Configs) {
			err = x.report(set, new(record.Losses))
			return errors.Join(err, &exitError{code: exitUnfit, msg: "no configuration is possible here", hint: progName + " validate --config help"})
		}
		wrong := ""
		if set.Unclean > 0 {
			wrong = fmt.Sprintf("e2fsck found errors after %d of %d configurations", set.Unclean, len(set.Configs)-set.NotPossible)
		}
		return x.conclude(set, set.Passed, set.Failed, wrong)
	})
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

// runEach makes the configurations one after the other. With an error it returns
// what was done before.
func (x *validation) runEach(ctx context.Context, dev *target.Device, configs []target.Config, scenarios []validate.Scenario) (*validate.Set, error) {
	set := &validate.Set{}
	if err := x.findVariantOn(ctx, dev, configs[0]); err != nil {
		return set, err
	}
	for _, c := range configs {
		rep, err := x.runConfig(ctx, dev, c, scenarios)
		if err != nil {
			return set, fmt.Errorf("configuration %s: %w", c.Name, err)
		}
		set.Add(rep)
		if x.json {
			continue
		}
		if rep.NotPossible != "" {
			note(os.Stderr, "%s: not possible: %s", c.Name, rep.NotPossible)
		} else {
			note(os.Stderr, "%s: %s", c.Name, rep.Summary())
		}
	}
	return set, nil
}

// findVariantOn finds the variant on a file system of the default configuration,
// as others do not let every decision be seen. It is not needed when that
// configuration is the first anyway.
func (x *validation) findVariantOn(ctx context.Context, dev *target.Device, first target.Config) error {
	if x.variant != "" || first.Name == target.DefaultConfig {
		return nil
	}
	def, err := target.ParseConfigs(target.DefaultConfig)
	if err != nil {
		return err
	}
	_, err = dev.Use(ctx, def[0], func(dir string) error {
		var err error
		x.variant, err = x.findVariant(ctx, dir)
		return err
	})
	return err
}

func (x *validation) runConfig(ctx context.Context, dev *target.Device, c target.Config, scenarios []validate.Scenario) (*validate.Report, error) {
	rep := &validate.Report{Variant: x.variant}
	mountPoint := ""
	fsck, err := dev.Use(ctx, c, func(dir string) error {
		mountPoint = dir
		done, err := x.run(ctx, dir, scenarios)
		if done != nil {
			rep = done
		}
		return err
	})
	rep.Config = c.Name
	if fsck != nil && !fsck.Clean {
		rep.Fsck = fsck.Output
	}
	var not *target.NotPossibleError
	switch {
	case errors.As(err, &not):
		rep.NotPossible = not.Reason
	case errors.Is(err, workload.ErrUnfit) && len(rep.Results) == 0:
		rep.NotPossible = strings.ReplaceAll(err.Error(), mountPoint, "")
	case err != nil:
		return nil, err
	}
	return rep, nil
}

// targetError turns an error of package target into what main exits with.
func targetError(err error) error {
	var exit *exitError
	var refused *target.RefusedError
	var unfit *target.UnfitError
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
