package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/decode"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
	"github.com/ext4dio/ext4dio-trace/validate"
	"github.com/ext4dio/ext4dio-trace/validate/random"
	"github.com/ext4dio/ext4dio-trace/validate/target"
	"github.com/ext4dio/ext4dio-trace/workload"
)

// validateOptions are the flags of validate.
type validateOptions struct {
	dir         string
	device      string
	image       string
	destroyData bool
	yes         bool
	config      string
	scenarios   string
	files       string
	variant     string
	attach      string
	json        bool
	verbose     bool
	keep        bool
	writes      int
	seed        uint64
	number      int
}

// newValidateCmd makes the command that carries out hand-specified writes and
// compares what the kernel did with what is written down.
func newValidateCmd() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate {--dir DIR | --device DEV --destroy-data | --image FILE}",
		Short: "make hand-specified writes and compare each decision",
		Long: `Makes direct writes of every kind in DIR/` + validate.DirName + ` on a mounted ext4, sees
each through the probes, and compares lock, passes, lookups, drain, force wait,
zeroed ranges and result with what is written down for this variant of the
kernel, and with the model. The variant is found from a short workload first,
unless --variant names it.

With --writes it then makes random files and random writes that follow from a
seed, and asks three oracles: the model fed with what was observed, the model fed
with the known layout, and every byte of the files. What is wrong is shrunk to the
fewest commands that show it.

With --device it makes a file system for each configuration on a disk that holds
nothing you need, mounts it where no other process sees it, and checks it with
e2fsck afterwards. A disk that is mounted, held, swap, divided or read-only is
refused. With --image it does the same in a file that it makes and removes.`,
		Example: `  ext4dio-trace validate --dir /mnt
  ext4dio-trace validate --device /dev/sdX --destroy-data --config 4k,1k,ext3
  ext4dio-trace validate --image /tmp/image --config all
  ext4dio-trace vm --kernel ./bzImage -- validate --device /dev/sda --destroy-data --yes
  ext4dio-trace validate --dir /mnt --writes 5000 --seed 7
  ext4dio-trace validate --dir /mnt --scenarios 'unaligned*' --verbose`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runValidate(cmd.Context(), &o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func (o *validateOptions) addFlags(fl *pflag.FlagSet) {
	fl.SortFlags = false
	fl.StringVar(&o.dir, "dir", "", "directory on an ext4 in which to make "+validate.DirName)
	fl.StringVar(&o.device, "device", "", "disk whose data is destroyed")
	fl.BoolVar(&o.destroyData, "destroy-data", false, "yes, destroy the data of --device")
	fl.BoolVar(&o.yes, "yes", false, "do not ask, and destroy what is no ext4, too")
	fl.StringVar(&o.image, "image", "", "image file to make and remove")
	fl.StringVar(&o.config, "config", "", "with --device or --image: names, all, or help for a list (default "+target.DefaultConfig+")")
	fl.StringVar(&o.scenarios, "scenarios", "", "only those whose theme or name matches this pattern")
	fl.StringVar(&o.files, "files", "", "directory with scenario files to use instead of the built-in ones")
	fl.IntVar(&o.writes, "writes", 0, "after the scenarios, so many generated writes on random layouts")
	fl.Uint64Var(&o.seed, "seed", 0, "what the generated writes follow from (default: another each time, and shown)")
	fl.IntVar(&o.number, "case", 0, "of the generated writes only this case")
	fl.StringVar(&o.variant, "variant", "auto", "compare with this kernel: auto, "+strings.Join(model.VariantNames(), ", "))
	fl.StringVar(&o.attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	fl.BoolVar(&o.json, "json", false, "the report as one JSON object, that of generated writes as another")
	fl.BoolVar(&o.verbose, "verbose", false, "a line for the writes that passed, too")
	fl.BoolVar(&o.keep, "keep", false, "leave the files, and the image")
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
	if o.config == "help" {
		if _, err := io.WriteString(os.Stdout, target.ConfigHelp()); err != nil {
			return fmt.Errorf("write list: %w", err)
		}
		return nil
	}
	if err := o.check(); err != nil {
		return err
	}
	if err := checkVariant(o.variant); err != nil {
		return err
	}
	scenarios, err := o.scenarioSet()
	if err != nil {
		return err
	}
	if o.dir == "" {
		return o.runConfigs(ctx, scenarios)
	}
	return o.traced(func(x *validation) error {
		rep, err := x.run(ctx, o.dir, scenarios)
		if err != nil {
			return workloadError(err)
		}
		return x.conclude(rep, rep.Passed, rep.Failed, "")
	})
}

// validation is a run with the probes attached.
type validation struct {
	*validateOptions
	facts   *probes.Facts
	plan    *probes.Plan
	session *probes.Session
	variant string // "" until it is known
	// generated are the reports of generated writes, one for each directory.
	generated []*random.Report
}

// traced calls use with the probes attached.
func (o *validateOptions) traced(use func(*validation) error) error {
	facts, plan, session, err := attach(probes.Options{Attach: o.attach, Filter: probes.Filter{Pid: uint32(os.Getpid())}})
	if err != nil {
		return err
	}
	x := &validation{validateOptions: o, facts: facts, plan: plan, session: session}
	if o.variant != "auto" {
		x.variant = o.variant
	}
	err = use(x)
	return errors.Join(err, session.Close())
}

// run carries out the scenarios in a directory, and finds the variant first when
// it is not known yet.
func (x *validation) run(ctx context.Context, dir string, scenarios []validate.Scenario) (*validate.Report, error) {
	if x.variant == "" {
		var err error
		if x.variant, err = x.findVariant(ctx, dir); err != nil {
			return nil, err
		}
	}
	v, err := model.ParseVariant(x.variant)
	if err != nil {
		return nil, err
	}
	tracer := validate.NewSourceTracer(x.session, decode.Options{Variant: v, Evidence: evidence(x.facts), Unprobed: x.plan.Unattached})
	rep, err := (&validate.Runner{Variant: x.variant, Tracer: tracer, Keep: x.keep}).Run(ctx, dir, scenarios)
	if err != nil {
		return rep, err
	}
	return rep, x.generate(ctx, dir, v)
}

// textWriter is a report for people.
type textWriter interface {
	WriteText(w io.Writer, all bool) error
}

// conclude writes the report to stdout and says how the run ends. wrong is what
// else is not right, or "".
func (x *validation) conclude(rep textWriter, passed, failed int, wrong string) error {
	losses, err := x.session.Losses()
	if err != nil {
		return err
	}
	if err := x.report(rep, &losses); err != nil {
		return err
	}
	generated, err := x.reportGenerated()
	if err != nil {
		return err
	}
	if wrong == "" {
		wrong = generated
	}
	switch {
	case failed > 0:
		return &exitError{code: exitDisagree, msg: fmt.Sprintf("%d of %d writes were not as written down", failed, passed+failed)}
	case wrong != "":
		return &exitError{code: exitDisagree, msg: wrong}
	case passed == 0 && len(x.generated) == 0:
		return &exitError{code: exitUnproven, msg: "no write was carried out", hint: progName + " validate --dir DIR --verbose"}
	case losses.Any():
		return &exitError{code: exitUnproven, msg: "records were lost: " + losses.String()}
	}
	return nil
}

// report writes the report to stdout.
func (o *validateOptions) report(rep textWriter, losses *record.Losses) error {
	if !o.json {
		if losses.Any() {
			note(os.Stdout, "LOST: %s", losses)
		}
		return rep.WriteText(os.Stdout, o.verbose)
	}
	return writeJSON(rep)
}

// writeJSON writes a report to stdout as one line.
func writeJSON(rep any) error {
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
func (x *validation) findVariant(ctx context.Context, parent string) (string, error) {
	judge, err := newJudge(x.facts, x.plan, "auto", nil)
	if err != nil {
		return "", err
	}
	dir, err := workload.OpenDir(parent, workloadDir)
	if err != nil {
		return "", err
	}
	plan, err := workload.NewPlan(workload.Config{Tasks: 2, Writes: workload.DefaultWrites, Seed: 1}, dir.FS)
	if err != nil {
		return "", errors.Join(err, dir.Close(false))
	}
	done := make(chan error, 1)
	go func() {
		_, err := (&workload.Runner{Dir: dir}).Run(ctx, plan, false)
		done <- errors.Join(err, dir.Close(false))
	}()
	running := true
	for {
		raw, err := x.session.Next()
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
				return "", err
			}
			running = false
		default:
		}
	}
}
