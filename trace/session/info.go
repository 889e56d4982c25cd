package session

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// describe gathers what a trace says about the machine and about itself. The first
// write could be seen at start, ns of CLOCK_MONOTONIC.
func describe(k *Kernel, start uint64, o *RecorderOptions) (*tracefile.Info, error) {
	info := &tracefile.Info{
		Tool: o.Tool, Command: o.Command, Release: k.Facts.Release, Build: k.Facts.Build, Arch: k.Facts.Arch,
		PageSize: os.Getpagesize(), CPUs: k.Facts.CPUs, FileSystems: []tracefile.FileSystem{},
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	info.ID = hex.EncodeToString(id[:])
	var err error
	if info.Facts, err = json.Marshal(k.Facts); err != nil {
		return nil, fmt.Errorf("describe the kernel: %w", err)
	}
	if info.Plan, err = json.Marshal(k.Plan); err != nil {
		return nil, fmt.Errorf("describe the probes: %w", err)
	}
	var sinceBoot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot); err != nil {
		return nil, fmt.Errorf("read boot clock: %w", err)
	}
	now, boot := clock.Monotonic(), uint64(sinceBoot.Nano())
	since := now - min(start, now)
	info.Monotonic, info.Boot, info.Began = now-since, boot-min(since, boot), time.Now().Add(-time.Duration(since)).UTC().Round(0)
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		info.BootID = strings.TrimSpace(string(b))
	}
	if o.HostName {
		if info.Host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("read host name: %w", err)
		}
	}
	mounts, err := ext4fs.Mounted()
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		info.FileSystems = append(info.FileSystems, tracefile.FileSystem{
			Dev: m.Dev, Source: m.Source, Mount: m.Point, Options: m.Options, SuperOptions: m.SuperOptions,
			BlockSize: m.BlockSize, Features: m.Features,
		})
	}
	return info, nil
}

// RunningKernel is the release and build of the running kernel.
func RunningKernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(u.Release[:]) + " (" + unix.ByteSliceToString(u.Version[:]) + ")"
}
