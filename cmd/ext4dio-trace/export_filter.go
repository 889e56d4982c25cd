package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// rowFilter chooses among judged writes, by what a row shows.
type rowFilter struct {
	pid        uint32
	comm       string
	dev        string
	ino        uint64
	path       string
	minLatency time.Duration
	only       []string
	from, to   string

	show          liveOptions // what --only and --filter ask for
	devNumber     uint32
	begins, until uint64 // ns of CLOCK_MONOTONIC; until is not in it
}

func (f *rowFilter) register(flags *pflag.FlagSet) {
	flags.Uint32Var(&f.pid, "pid", 0, "only this process (all its threads)")
	flags.StringVar(&f.comm, "comm", "", "only threads of this name")
	flags.StringVar(&f.dev, "dev", "", "only this device: MAJOR:MINOR, or a source or folder that the trace knows")
	flags.Uint64Var(&f.ino, "ino", 0, "only this inode number")
	flags.StringVar(&f.path, "path", "", "only this path; * and ? stand for other characters")
	flags.DurationVar(&f.minLatency, "min-latency", 0, "only writes that took at least this long, such as 5ms")
	flags.StringSliceVar(&f.only, "only", nil, "only these: "+strings.Join(onlyWords, ", "))
	flags.Func("filter", rowFilterUsage, f.show.setRows)
	flags.StringVar(&f.from, "from", "", "only writes from this time on")
	flags.StringVar(&f.to, "to", "", "only writes before this time")
}

// check refuses what cannot be meant, whatever the trace.
func (f *rowFilter) check() error {
	if f.minLatency < 0 {
		return usagef("--min-latency 5ms", "--min-latency must not be negative")
	}
	for _, word := range f.only {
		if !slices.Contains(onlyWords, word) {
			return usagef("--only "+strings.Join(onlyWords, ","), "--only %q is not known", word)
		}
	}
	if _, err := filepath.Match(f.path, ""); err != nil && f.isPattern() {
		return usagef("", "--path %q: %v", f.path, err)
	}
	return nil
}

// resolve turns what was typed into numbers, by what the trace says of itself.
func (f *rowFilter) resolve(info *tracefile.Info) error {
	var err error
	f.show.only, f.until = f.only, math.MaxUint64
	if f.from != "" {
		if f.begins, err = traceTime("--from", f.from, info); err != nil {
			return err
		}
	}
	if f.to != "" {
		if f.until, err = traceTime("--to", f.to, info); err != nil {
			return err
		}
	}
	if f.begins >= f.until {
		return usagef("--from 1s --to 2s", "--from %s is not before --to %s", f.from, f.to)
	}
	if f.dev != "" {
		f.devNumber, err = traceDevice(f.dev, info)
	}
	return err
}

// traceTime is a time of a trace as ns of CLOCK_MONOTONIC.
func traceTime(flag, text string, info *tracefile.Info) (uint64, error) {
	since, err := time.ParseDuration(text)
	if err != nil {
		wall, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, usagef(flag+" 2.5s, or "+flag+" 2026-11-22T20:00:00Z", "%s %q is no time", flag, text)
		}
		since = wall.Sub(info.Began)
	}
	if since < 0 && uint64(-since) > info.Monotonic {
		return 0, nil
	}
	return info.Monotonic + uint64(since), nil
}

// traceDevice finds a device by its numbers, or by a name that the trace knows.
func traceDevice(text string, info *tracefile.Info) (uint32, error) {
	number := text
	var known []string
	for _, fs := range info.FileSystems {
		known = append(known, "--dev "+fs.Dev)
		if text == fs.Source || text == fs.Mount {
			number = fs.Dev
		}
	}
	dev, ok := export.ParseDev(number)
	if !ok {
		return 0, usagef(strings.Join(known, ", "), "--dev %q is no MAJOR:MINOR, and the trace knows no such device", text)
	}
	return dev, nil
}

func (f *rowFilter) isPattern() bool { return strings.ContainsAny(f.path, "*?") }

// named reports whether a path is the one that is looked for.
func (f *rowFilter) named(path string) bool {
	if !f.isPattern() {
		return path == f.path
	}
	ok, _ := filepath.Match(f.path, path) // check has tried the pattern
	return ok
}

// shows reports whether a row is let through.
func (f *rowFilter) shows(r *export.Row) bool {
	if f.pid != 0 && r.Pid != f.pid || f.comm != "" && r.Comm != f.comm || f.ino != 0 && r.Ino != f.ino ||
		f.dev != "" && r.Dev != f.devNumber || r.TimeNs < f.begins || r.TimeNs >= f.until {
		return false
	}
	if f.path != "" && !f.named(r.Path) {
		return false
	}
	if f.minLatency > 0 && (!r.LatencyNs.Known || r.LatencyNs.V < uint64(f.minLatency)) {
		return false
	}
	return f.show.shows(r)
}
