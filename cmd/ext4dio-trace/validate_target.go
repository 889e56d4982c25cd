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

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate/campaign"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
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
func (o *validateOptions) runConfigs(ctx context.Context, ro campaign.Options) error {
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
	err = o.traced(ro, all, func(x *campaign.Run) error { return targetError(x.Configs(ctx, dev, configs)) })
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
		return &exit.Error{Code: exit.Usage, Msg: "nothing was written"}
	case got := <-answer:
		if got != name {
			return &exit.Error{Code: exit.Usage, Msg: "that is not its name; nothing was written"}
		}
	}
	return nil
}

// targetError turns an error of package target into what main exits with.
func targetError(err error) error {
	var worded *exit.Error
	var refused *target.RefusedError
	var unfit *hint.UnfitError
	switch {
	case errors.As(err, &worded):
		return worded
	case errors.Is(err, context.Canceled):
		return &exit.Error{Code: exit.Unfit, Msg: "ended by a signal; the file system is unmounted again"}
	case errors.As(err, &refused):
		return &exit.Error{Code: exit.Usage, Msg: refused.Msg, Hint: refused.Hint}
	case errors.As(err, &unfit):
		return &exit.Error{Code: exit.Unfit, Msg: unfit.Error(), Hint: unfit.Hint}
	}
	return workloadError(err)
}
