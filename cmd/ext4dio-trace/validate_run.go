package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// patchTheme is the theme of scenarios that tell which patches a kernel holds.
const patchTheme = "patches"

// validation is a run with the probes attached.
type validation struct {
	*validateOptions
	facts   *probes.Facts
	plan    *probes.Plan
	session *probes.Session
	id      *series.Identifier
	variant model.Variant // 0 until it is known
	missed  bool          // a cache-only lookup missed, and it is known what it returned
	meter   *meter
	out     *outcome.Outcome
}

// traced calls use with the probes attached behind a filter, and gives the report that it made to
// the user, even when it could not go on.
func (o *validateOptions) traced(filter probes.Filter, use func(*validation) error) error {
	facts, plan, session, err := attach(probes.Options{Attach: o.attach, Filter: filter})
	if err != nil {
		return err
	}
	x := &validation{validateOptions: o, facts: facts, plan: plan, session: session}
	err = errors.Join(x.begin(), use(x))
	x.meter.end()
	if err == nil || len(x.out.Configs) > 0 {
		err = errors.Join(err, x.conclude(err != nil))
	}
	return errors.Join(err, session.Close())
}

// begin prepares the report.
func (x *validation) begin() error {
	for x.seed == 0 {
		x.seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	x.out = &outcome.Outcome{Tool: versionText(), Kernel: kernelName(), Target: x.dir + x.device + x.image, Started: time.Now(), Seed: x.seed}
	x.meter = newMeter(os.Stderr)
	var candidates []model.Variant
	if x.validateOptions.variant != "auto" {
		v, err := model.ParseVariant(x.validateOptions.variant)
		if err != nil {
			return err
		}
		x.variant, x.out.Chosen = v, true
		candidates = append(candidates, v)
	}
	for _, v := range judge.NewDetector(evidence(x.facts)).Candidates() {
		if v != x.variant {
			candidates = append(candidates, v)
		}
	}
	x.id = series.New(candidates, x.plan.Unattached)
	return nil
}

// kernelName is the release and build of the running kernel.
func kernelName() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(u.Release[:]) + " (" + unix.ByteSliceToString(u.Version[:]) + ")"
}

// tracer hands out what is seen, judged by the variant if that is known.
func (x *validation) tracer() *trial.SourceTracer {
	return trial.NewSourceTracer(x.session, judge.Options{
		Doubt:   x.session.Doubt,
		Variant: x.variant, Evidence: evidence(x.facts), Unprobed: x.plan.Unattached,
		Seen: func(o *observe.Observation, _ *judge.Verdict) { x.id.Add(o) },
	})
}

// runDir does all that is wanted in a directory of the user's.
func (x *validation) runDir(ctx context.Context, scenarios []validate.Scenario) error {
	x.meter.expect(x.amount(scenarios))
	c, err := x.run(ctx, x.dir, scenarios, false)
	if c != nil {
		x.out.Configs = append(x.out.Configs, c)
	}
	if err == nil && x.dropCaches {
		err = x.cacheMissIn(ctx, x.dir)
	}
	return workloadError(err)
}

// amount is the number of writes to make on one file system.
func (x *validation) amount(scenarios []validate.Scenario) int {
	n := 0
	for i := range scenarios {
		n += scenarios[i].Writes()
	}
	if x.number == 0 {
		n += x.writes
	}
	return n + x.stormWrites()
}

// run does all that is wanted on one file system. What was done is returned with
// the error, too. With keep the files stay, to be compared once more.
func (x *validation) run(ctx context.Context, dir string, scenarios []validate.Scenario, keep bool) (*outcome.Config, error) {
	c := &outcome.Config{}
	start := time.Now()
	defer func() { c.Seconds = time.Since(start).Seconds() }()
	var err error
	if c.Scenarios, err = x.scenarioRun(ctx, dir, scenarios, keep); err != nil {
		return c, err
	}
	if err := x.identify(ctx, dir, c.Scenarios); err != nil {
		return c, err
	}
	if x.writes > 0 || x.number > 0 {
		x.meter.part("generated")
		c.Generated, err = random.Run(ctx, random.Options{
			Dir: dir, Seed: x.seed, Writes: x.writes, Case: x.number, Variant: x.variant, Unprobed: x.plan.Unattached,
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
func (x *validation) scenarioRun(ctx context.Context, dir string, scenarios []validate.Scenario, keep bool) (*validate.Report, error) {
	x.meter.part("scenarios")
	n := 0
	r := &validate.Runner{
		Variant: x.variant, Unprobed: x.plan.Unattached, Tracer: x.tracer(), Keep: x.keep || keep, OwnOnly: x.dir != "",
		Progress: func(validate.Result) { n++; x.meter.done(n) },
	}
	return r.Run(ctx, dir, scenarios)
}

// identify finds the variant from what the scenarios made the kernel do, and judges
// them by it. Where there were none, those that tell the patches are carried out.
func (x *validation) identify(ctx context.Context, dir string, rep *validate.Report) error {
	if x.variant != 0 {
		return nil
	}
	if len(rep.Results) == 0 {
		if err := x.tellPatches(ctx, dir); err != nil {
			return err
		}
	}
	x.variant = x.id.Best()
	rep.Judge(x.variant, x.plan.Unattached)
	return nil
}

// tellPatches carries out the scenarios that tell which patches the kernel holds,
// only to see what it does.
func (x *validation) tellPatches(ctx context.Context, dir string) error {
	all, err := validate.Builtin()
	if err != nil {
		return err
	}
	some, err := validate.Select(all, patchTheme)
	if err != nil {
		return err
	}
	r := &validate.Runner{Unprobed: x.plan.Unattached, Tracer: x.tracer()}
	_, err = r.Run(ctx, dir, some)
	return err
}

// conclude gives the report to the user and says how the run ends. A run that was
// cut short proves nothing.
func (x *validation) conclude(short bool) error {
	o := x.out
	losses, err := x.session.Losses()
	if err != nil {
		return err
	}
	o.Losses, o.Variant, o.Series, o.Unprobed = losses, x.variant, x.id.Report(), x.plan.Unattached
	o.Seconds = time.Since(o.Started).Seconds()
	o.Conclude()
	if short {
		o.CutShort()
	}
	if err := x.write(); err != nil || short {
		return err
	}
	why := strings.Join(o.Why, "; ")
	switch o.Result {
	case outcome.Failed:
		return &exitError{code: exitDisagree, msg: why, hint: x.again()}
	case outcome.NotPossible:
		return &exitError{code: exitUnfit, msg: why, hint: progName + " validate --config help"}
	case outcome.Unproven:
		return &exitError{code: exitUnproven, msg: why, hint: progName + " validate --help"}
	}
	return nil
}

// again is how to have the failures kept.
func (x *validation) again() string {
	if x.validateOptions.out != "" {
		return "see " + filepath.Join(x.validateOptions.out, "failures.txt")
	}
	return fmt.Sprintf("-o DIR keeps the explanations and records; --seed %d repeats the writes", x.seed)
}

// write writes the report to all that want it.
func (x *validation) write() error {
	var err error
	if x.junit != "" {
		err = outcome.WriteFile(x.junit, x.out.WriteJUnit)
	}
	if x.validateOptions.out != "" {
		err = errors.Join(err, x.out.Save(x.validateOptions.out, x.verbose))
	}
	if x.json {
		return errors.Join(err, x.out.WriteJSON(os.Stdout))
	}
	return errors.Join(err, x.out.WriteText(os.Stdout, x.verbose))
}
