package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// registerFilter adds the filters that the kernel applies.
func registerFilter(f *session.Filter, flags *pflag.FlagSet) {
	flags.Uint32Var(&f.Pid, "pid", 0, "only this process (all its threads)")
	flags.StringVar(&f.Comm, "comm", "", "only threads of this name (up to 15 bytes)")
	flags.StringVar(&f.Cgroup, "cgroup", "", "only this cgroup: its folder or its id")
	flags.StringVar(&f.Dev, "dev", "", "only this device: MAJOR:MINOR, /dev/NAME, or a folder on it")
	flags.Uint64Var(&f.Ino, "ino", 0, "only this inode number")
	flags.StringVar(&f.Path, "path", "", "only this file")
	flags.DurationVar(&f.MinLatency, "min-latency", 0, "only writes that took at least this long, such as 5ms")
}

// parseSize takes a size of 1 byte to 2 GiB, with an optional unit.
func parseSize(s string) (int, error) {
	n, err := kernelvm.ParseSize(s)
	if err != nil || n == 0 || n > 2<<30 {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return int(n), nil
}
