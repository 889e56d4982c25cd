package main

import (
	"context"
	"path"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
)

// stormNames are the storms that --storms chooses.
func (o *validateOptions) stormNames() ([]string, error) {
	if o.storms == noneOf || o.number > 0 && o.storms == "" {
		return nil, nil
	}
	var out []string
	for _, name := range storm.Names() {
		ok, err := path.Match(o.storms, name)
		if err != nil {
			return nil, usagef("--storms 'half*'", "--storms %s: %v", o.storms, err)
		}
		if ok || o.storms == "" {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, usagef("--storms none, or one of "+strings.Join(storm.Names(), ", "), "no storm is called %q", o.storms)
	}
	return out, nil
}

// stormWrites is about how many writes the storms make on one file system.
func (x *validation) stormWrites() int {
	names, err := x.stormNames()
	if err != nil { // it was checked before
		return 0
	}
	return len(names) * storm.DefaultWrites
}

// stormRun carries out the chosen storms, if any.
func (x *validation) stormRun(ctx context.Context, dir string) (*storm.Report, error) {
	names, err := x.stormNames()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	x.meter.part("storms")
	return storm.Run(ctx, storm.Options{
		Dir: dir, Seed: x.seed, Variant: x.variant, Tracer: x.tracer(), Only: x.storms,
		Progress: func(_ string, done, _ int) { x.meter.done(done * storm.DefaultWrites) },
	})
}
