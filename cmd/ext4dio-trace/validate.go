package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/decode"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
	"github.com/ext4dio/ext4dio-trace/validate"
	"github.com/ext4dio/ext4dio-trace/workload"
)

// validateOptions are the flags of validate.
type validateOptions struct {
	dir       string
	scenarios string
	files     string
	variant   string
	attach    string
	json      bool
	verbose   bool
	keep      bool
}

// newValidateCmd makes the command that carries out hand-specified writes and
// compares what the kernel did with what is written down.
func newValidateCmd() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate --dir DIR",
		Short: "make hand-specified writes and compare each decision",
		Long: `Makes direct writes of every kind in DIR/` + validate.DirName + ` on a mounted ext4, sees
each through the probes, and compares lock, passes, lookups, drain, force wait,
zeroed ranges and result with what is written down for this variant of the
kernel, and with the model. The variant is found from a short workload first,
unless --variant names it.`,
		Example: `  ext4dio-trace validate --dir /mnt
  ext4dio-trace vm --kernel ./bzImage -- validate --dir /mnt
  ext4dio-trace validate --dir /mnt --scenarios 'unaligned/*' --verbose`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runValidate(cmd.Context(), &o) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&o.dir, "dir", "", "directory on an ext4 in which to make "+validate.DirName)
	fl.StringVar(&o.scenarios, "scenarios", "", "only those whose theme/name matches this pattern")
	fl.StringVar(&o.files, "files", "", "directory with scenario files to use instead of the built-in ones")
	fl.StringVar(&o.variant, "variant", "auto", "compare with this kernel: auto, "+strings.Join(model.VariantNames(), ", "))
	fl.StringVar(&o.attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	fl.BoolVar(&o.json, "json", false, "the report as one JSON object")
	fl.BoolVar(&o.verbose, "verbose", false, "a line for the writes that passed, too")
	fl.BoolVar(&o.keep, "keep", false, "leave the files")
	return cmd
}

// scenarioSet returns the chosen scenarios.
func (o *validateOptions) scenarioSet() ([]validate.Scenario, error) {
	read := validate.Builtin
	if o.files != "" {
		read = func() ([]validate.Scenario, error) { return validate.ParseFS(os.DirFS(o.files), ".") }
	}
	all, err := read()
	if err != nil {
		return nil, &exitError{code: exitUsage, msg: err.Error(), hint: progName + " validate --help"}
	}
	if o.scenarios == "" {
		return all, nil
	}
	some, err := validate.Select(all, o.scenarios)
	if err != nil {
		return nil, usagef("--scenarios 'unaligned/*'", "%v", err)
	}
	return some, nil
}

func runValidate(ctx context.Context, o *validateOptions) error {
	if o.dir == "" {
		return usagef(progName+" validate --dir /mnt", "no --dir given")
	}
	if err := checkVariant(o.variant); err != nil {
		return err
	}
	scenarios, err := o.scenarioSet()
	if err != nil {
		return err
	}
	facts, plan, session, err := attach(probes.Options{Attach: o.attach, Filter: probes.Filter{Pid: uint32(os.Getpid())}})
	if err != nil {
		return err
	}
	err = o.carryOut(ctx, facts, plan, session, scenarios)
	return errors.Join(err, session.Close())
}

// carryOut finds the variant, runs the scenarios and reports.
func (o *validateOptions) carryOut(ctx context.Context, f *probes.Facts, p *probes.Plan, session *probes.Session, scenarios []validate.Scenario) error {
	variant := o.variant
	if variant == "" || variant == "auto" {
		var err error
		if variant, err = o.findVariant(ctx, f, p, session); err != nil {
			return err
		}
	}
	v, err := model.ParseVariant(variant)
	if err != nil {
		return err
	}
	tracer := validate.NewSourceTracer(session, decode.Options{Variant: v, Evidence: evidence(f), Unprobed: p.Unattached})
	runner := &validate.Runner{Variant: variant, Tracer: tracer, Keep: o.keep}
	rep, err := runner.Run(ctx, o.dir, scenarios)
	if err != nil {
		return workloadError(err)
	}
	losses, err := session.Losses()
	if err != nil {
		return err
	}
	if err := o.report(rep, &losses); err != nil {
		return err
	}
	switch {
	case rep.Failed > 0:
		return &exitError{code: exitDisagree, msg: fmt.Sprintf("%d of %d writes were not as written down", rep.Failed, rep.Passed+rep.Failed)}
	case rep.Passed == 0:
		return &exitError{code: exitUnproven, msg: "no write was carried out", hint: progName + " validate --dir DIR --verbose"}
	case losses.Any():
		return &exitError{code: exitUnproven, msg: "records were lost: " + losses.String()}
	}
	return nil
}

// report writes the report to stdout.
func (o *validateOptions) report(rep *validate.Report, losses *record.Losses) error {
	if !o.json {
		if losses.Any() {
			note(os.Stdout, "LOST: %s", losses)
		}
		return rep.WriteText(os.Stdout, o.verbose)
	}
	b, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if _, err := os.Stdout.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// findVariant makes a few writes of every kind and lets them tell.
func (o *validateOptions) findVariant(ctx context.Context, f *probes.Facts, p *probes.Plan, session *probes.Session) (string, error) {
	judge, err := newJudge(f, p, "auto", nil)
	if err != nil {
		return "", err
	}
	dir, err := workload.OpenDir(o.dir, workloadDir)
	if err != nil {
		return "", workloadError(err)
	}
	plan, err := workload.NewPlan(workload.Config{Tasks: 2, Writes: workload.DefaultWrites, Seed: 1}, dir.FS)
	if err != nil {
		return "", workloadError(errors.Join(err, dir.Close(false)))
	}
	done := make(chan error, 1)
	go func() {
		_, err := (&workload.Runner{Dir: dir}).Run(ctx, plan, false)
		done <- errors.Join(err, dir.Close(false))
	}()
	running := true
	for {
		raw, err := session.Next()
		switch {
		case err == nil:
			_ = judge.Feed(raw) // what it does not understand tells nothing
			continue
		case !errors.Is(err, record.ErrIdle):
			return "", err
		case !running:
			judge.Flush()
			return judge.Detector().Best().String(), nil
		}
		select {
		case err := <-done:
			if err != nil {
				return "", workloadError(err)
			}
			running = false
		default:
		}
	}
}
