package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// describe gathers what a trace says about the machine and about itself. The first
// write could be seen at start, ns of CLOCK_MONOTONIC.
func describe(facts *probes.Facts, plan *probes.Plan, start uint64, hostName bool) (*tracefile.Info, error) {
	info := &tracefile.Info{
		Tool: versionText(), Command: os.Args, Release: facts.Release, Build: facts.Build, Arch: facts.Arch,
		PageSize: os.Getpagesize(), CPUs: facts.CPUs, FileSystems: []tracefile.FileSystem{},
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	info.ID = hex.EncodeToString(id[:])
	var err error
	if info.Facts, err = json.Marshal(facts); err != nil {
		return nil, fmt.Errorf("describe the kernel: %w", err)
	}
	if info.Plan, err = json.Marshal(plan); err != nil {
		return nil, fmt.Errorf("describe the probes: %w", err)
	}
	now, boot, err := clocks()
	if err != nil {
		return nil, err
	}
	since := now - min(start, now)
	info.Monotonic, info.Boot, info.Began = now-since, boot-min(since, boot), time.Now().Add(-time.Duration(since)).UTC().Round(0)
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		info.BootID = strings.TrimSpace(string(b))
	}
	if hostName {
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

// clocks reads CLOCK_MONOTONIC and CLOCK_BOOTTIME, ns.
func clocks() (monotonic, boot uint64, err error) {
	var m, b unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &m); err != nil {
		return 0, 0, fmt.Errorf("read monotonic clock: %w", err)
	}
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &b); err != nil {
		return 0, 0, fmt.Errorf("read boot clock: %w", err)
	}
	return uint64(m.Nano()), uint64(b.Nano()), nil
}

// recordedKernel is what a trace says of the kernel and of its probes. A trace that
// says nothing is one of a kernel of which nothing is known.
func recordedKernel(info *tracefile.Info) (*probes.Facts, *probes.Plan, error) {
	facts, plan := &probes.Facts{}, &probes.Plan{}
	for _, part := range []struct {
		what string
		raw  json.RawMessage
		to   any
	}{{"kernel", info.Facts, facts}, {"probes", info.Plan, plan}} {
		if len(part.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(part.raw, part.to); err != nil {
			return nil, nil, fmt.Errorf("%w: what it says of the %s: %w", tracefile.ErrFormat, part.what, err)
		}
	}
	if facts.Release == "" {
		facts.Release = info.Release
	}
	return facts, plan, nil
}

// recordedTime is from the beginning of a recording to the last write in it; 0 when it
// is not known.
func recordedTime(t *tracefile.Recording) time.Duration {
	last := uint64(0)
	for _, p := range t.Parts() {
		if x := p.Index(); x != nil {
			last = max(last, x.Last)
		}
	}
	if began := t.Info().Monotonic; last > began {
		return time.Duration(last - began)
	}
	return 0
}
