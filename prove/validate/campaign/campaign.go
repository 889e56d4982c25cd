// Package campaign carries out a validation: it attaches the probes, makes what is wanted on one
// file system or on one for each configuration, finds the variant of the kernel, and gathers
// the outcome.
package campaign

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// patchTheme is the theme of scenarios that tell which patches a kernel holds.
const patchTheme = "patches"

// Options say what is made and looked at.
type Options struct {
	Target     string              // what is written to, as the outcome calls it
	OwnOnly    bool                // others may write there: only what this process writes counts
	Scenarios  []validate.Scenario // none: only those that tell the patches, where they are needed
	Writes     int                 // generated writes, for each configuration
	Case       int                 // of the generated writes only this case; 0: all
	Storms     []string            // names; none: no storm is made
	Seed       uint64              // of generated writes and storms; 0: another each time
	Variant    string              // what the kernel is meant to be: auto, or a name
	DropCaches bool                // Dir drops the system's unused inodes once
	Keep       bool                // the scenarios' files stay
	Attach     string              // see probes.Options
	Tool       string              // version of this program
	Out        *os.File            // shows how far it is; see Note, too
	Terminal   bool                // Out is a terminal
	Note       func(text string)   // tells of a configuration that is over
}

// Run is a validation with the probes attached. The caller closes it.
type Run struct {
	Outcome *outcome.Outcome

	opts    Options
	capture *session.Capture
	id      *series.Identifier
	variant model.Variant // 0 until it is known
	missed  bool          // a cache-only lookup missed, and it is known what it returned
	ways    ways
	meter   *meter
}

// Begin attaches the probes behind a filter. The errors are those of package probes, and of
// the name of the variant.
func Begin(o Options, filter probes.Filter) (*Run, error) {
	// A verdict asks for no holders of i_rwsem; to attach their probes takes as long as all others.
	c, err := session.Attach(probes.Options{Attach: o.Attach, Filter: filter, Holders: probes.HoldersOff})
	if err != nil {
		return nil, err
	}
	x := &Run{opts: o, capture: c, meter: newMeter(o.Out, o.Terminal)}
	x.ways.cover.Unprobed = c.Plan.Unattached
	for x.opts.Seed == 0 {
		x.opts.Seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	x.Outcome = &outcome.Outcome{Tool: o.Tool, Kernel: session.RunningKernel(), Target: o.Target, Started: time.Now(), Seed: x.opts.Seed}
	var candidates []model.Variant
	if o.Variant != "auto" {
		if x.variant, err = model.ParseVariant(o.Variant); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		x.Outcome.Chosen = true
		candidates = append(candidates, x.variant)
	}
	others := slices.DeleteFunc(judge.NewDetector(c.Evidence()).Candidates(), func(v model.Variant) bool { return v == x.variant })
	x.id = series.New(append(candidates, others...), c.Plan.Unattached)
	return x, nil
}

// Close detaches the probes.
func (x *Run) Close() error { return x.capture.Close() }

// Saw reports whether there is anything to conclude from.
func (x *Run) Saw() bool { return len(x.Outcome.Configs) > 0 || x.id.Report().Writes > 0 }

// Conclude brings the outcome to its end, and says what cut the run short, if anything did.
func (x *Run) Conclude(short string) error {
	o := x.Outcome
	if x.variant == 0 && x.id.Report().Writes > 0 {
		x.variant = x.id.Best()
	}
	losses, err := x.capture.Losses()
	if err != nil {
		return err
	}
	o.Losses, o.Variant, o.Series, o.Unprobed = losses, x.variant, x.id.Report(), x.capture.Plan.Unattached
	o.Coverage = x.ways.reports(x.variant, o.Unprobed)
	o.Seconds = time.Since(o.Started).Seconds()
	o.Conclude()
	if short != "" {
		o.Interrupt(short)
	}
	return nil
}

// tracer hands out each write that is seen, judged by the variant if that is known.
func (x *Run) tracer() *trial.SourceTracer {
	return trial.NewSourceTracer(x.capture, judge.Options{
		Doubt:   x.capture.Doubt,
		Variant: x.variant, Evidence: x.capture.Evidence(), Unprobed: x.capture.Plan.Unattached,
		Seen: func(o *observe.Observation, v *judge.Verdict) {
			x.id.Add(o)
			x.ways.add(o, v, x.variant)
		},
	})
}

// Dir does all that is wanted in a directory of the user's. The errors are those of package
// workload, among others.
func (x *Run) Dir(ctx context.Context, dir string) error {
	defer x.meter.clear()
	x.meter.expect(x.amount())
	c, err := x.run(ctx, dir, false)
	if c != nil {
		x.Outcome.Configs = append(x.Outcome.Configs, c)
	}
	if err == nil && x.opts.DropCaches {
		err = x.cacheMissIn(ctx, dir)
	}
	return err
}

// amount is the number of writes to make on one file system.
func (x *Run) amount() int {
	n := 0
	for i := range x.opts.Scenarios {
		n += x.opts.Scenarios[i].Writes()
	}
	if x.opts.Case == 0 {
		n += x.opts.Writes
	}
	return n + len(x.opts.Storms)*storm.DefaultWrites
}

// run does all that is wanted on one file system. What was done is returned with
// the error, too. With keep the files stay, to be compared once more.
func (x *Run) run(ctx context.Context, dir string, keep bool) (*outcome.Config, error) {
	c := &outcome.Config{}
	start := time.Now()
	defer func() { c.Seconds = time.Since(start).Seconds() }()
	var err error
	if c.Scenarios, err = x.scenarioRun(ctx, dir, keep); err != nil {
		// What was seen until then is judged all the same.
		x.settle(c.Scenarios)
		return c, err
	}
	if err := x.identify(ctx, dir, c.Scenarios); err != nil {
		return c, err
	}
	if x.opts.Writes > 0 || x.opts.Case > 0 {
		x.meter.part("generated")
		c.Generated, err = random.Run(ctx, random.Options{
			Dir: dir, Seed: x.opts.Seed, Writes: x.opts.Writes, Case: x.opts.Case, Variant: x.variant, Unprobed: x.capture.Plan.Unattached,
			Tracer: x.tracer(), Keep: keep, Progress: func(done, total int) { x.meter.done(min(done, total)) },
		})
		if err != nil {
			return c, err
		}
	}
	c.Storms, err = x.stormRun(ctx, dir)
	return c, err
}

// scenarioRun carries out scenarios, judged only when the variant is known.
func (x *Run) scenarioRun(ctx context.Context, dir string, keep bool) (*validate.Report, error) {
	x.meter.part("scenarios")
	n := 0
	r := &validate.Runner{
		Variant: x.variant, Unprobed: x.capture.Plan.Unattached, Tracer: x.tracer(), Keep: x.opts.Keep || keep, OwnOnly: x.opts.OwnOnly,
		Progress: func(validate.Result) { n++; x.meter.done(n) },
	}
	return r.Run(ctx, dir, x.opts.Scenarios)
}

// identify finds the variant from what the scenarios made the kernel do, and judges
// them by it. Where there were none, those that tell the patches are carried out.
func (x *Run) identify(ctx context.Context, dir string, rep *validate.Report) error {
	if x.variant != 0 {
		return nil
	}
	if len(rep.Results) == 0 {
		if err := x.tellPatches(ctx, dir); err != nil {
			return err
		}
	}
	x.settle(rep)
	return nil
}

// settle takes the variant that explains the most of what was seen, unless one is known, and
// judges the scenarios by it.
func (x *Run) settle(rep *validate.Report) {
	if x.variant != 0 {
		return
	}
	x.variant = x.id.Best()
	rep.Judge(x.variant, x.capture.Plan.Unattached)
}

// tellPatches carries out the scenarios that tell which patches the kernel holds,
// only to see what it does.
func (x *Run) tellPatches(ctx context.Context, dir string) error {
	all, err := validate.Builtin()
	if err != nil {
		return err
	}
	some, err := validate.Select(all, patchTheme)
	if err != nil {
		return err
	}
	r := &validate.Runner{Unprobed: x.capture.Plan.Unattached, Tracer: x.tracer()}
	_, err = r.Run(ctx, dir, some)
	return err
}

// stormRun carries out the chosen storms, if any.
func (x *Run) stormRun(ctx context.Context, dir string) (*storm.Report, error) {
	if len(x.opts.Storms) == 0 {
		return nil, nil
	}
	x.meter.part("storms")
	return storm.Run(ctx, storm.Options{
		Dir: dir, Seed: x.opts.Seed, Variant: x.variant, Storms: x.opts.Storms, Tracer: x.tracer(),
		Progress: func(done int) { x.meter.done(done * storm.DefaultWrites) },
	})
}
