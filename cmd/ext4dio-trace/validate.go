package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/campaign"
	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// defaultGenerated is the number of generated writes for each configuration.
const defaultGenerated = 2500

// noneOf is the pattern that stands for no scenario and no storm.
const noneOf = "none"

// validateOptions are the flags of validate.
type validateOptions struct {
	targetFlags
	campaign.Options
	image     string
	config    string
	scenarios string
	storms    string
	files     string
	json      bool
	testFlags
	out     string
	verbose bool
}

// targetFlags say where validate and bench write.
type targetFlags struct {
	dir, device      string
	destroyData, yes bool
}

// register adds them; below the directory, name is made.
func (o *targetFlags) register(fl *pflag.FlagSet, name string) {
	fl.StringVar(&o.dir, "dir", "", "directory on an ext4 in which to make "+name)
	fl.StringVar(&o.device, "device", "", "disk whose data is destroyed")
	fl.BoolVar(&o.destroyData, "destroy-data", false, "yes, destroy the data of --device")
	fl.BoolVar(&o.yes, "yes", false, "do not ask, and destroy what is no ext4, too")
}

// newValidateCmd makes the command that carries out hand-specified writes and
// compares what the kernel did with what is written down.
func newValidateCmd() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate {--dir DIR | --device DEV --destroy-data | --image FILE}",
		Short: "prove a kernel's direct writes right, patch by patch",
		Long: `Makes direct writes of every kind in DIR/` + validate.DirName + ` on a mounted ext4, sees
each through the probes, and tells which of the eight patches of the series this
kernel holds, whether every decision was right, whether a rule was broken, and
whether every byte of every file is what it should be. There are three parts:

  scenarios   writes to files of a known layout, compared with what is written
              down for this variant of the kernel, and with the model
  generated   random files and writes that follow from a seed, compared with the
              model fed with what was observed, the model fed with the known
              layout, and a shadow of every file; what is wrong is shrunk to the
              fewest commands that show it
  storms      writers at the same time on one file

The variant is the one that explains the most of what the scenarios made the
kernel do, unless --variant names it. A kernel that no variant explains fails.

With --device it makes a file system for each configuration on a disk that holds
nothing you need, mounts it where no other process sees it, checks it with e2fsck
afterwards, mounts it again and compares the files once more. A disk that is
mounted, held, swap, divided or read-only is refused. With --image it does the
same in a file that it makes and removes.`,
		Example: `  ext4dio-trace validate --dir /mnt
  ext4dio-trace validate --device /dev/sdX --destroy-data --config 4k,1k,ext3 -o result
  ext4dio-trace validate --image /tmp/image --config all --junit result.xml
  ext4dio-trace vm --kernel ./bzImage -- validate --device /dev/sda --destroy-data --yes
  ext4dio-trace validate --dir /mnt --writes 20000 --seed 7
  ext4dio-trace validate --dir /mnt --scenarios 'unaligned*' --writes 0 --storms none --verbose`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runValidate(cmd.Context(), &o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func (o *validateOptions) addFlags(fl *pflag.FlagSet) {
	fl.SortFlags = false
	o.register(fl, validate.DirName)
	fl.StringVar(&o.image, "image", "", "image file to make and remove")
	fl.StringVar(&o.config, "config", "", "with --device or --image: names, all, or help for a list (default "+target.DefaultConfigs+")")
	fl.StringVar(&o.scenarios, "scenarios", "", "only those whose theme or name matches this pattern, or none")
	fl.StringVar(&o.files, "files", "", "directory with scenario files to use instead of the built-in ones")
	fl.IntVar(&o.Writes, "writes", defaultGenerated, "generated writes on random layouts, for each configuration")
	fl.StringVar(&o.storms, "storms", "", "only those storms of writers whose name matches this pattern, or none")
	fl.Uint64Var(&o.Seed, "seed", 0, "what generated writes and storms follow from (default: another each time, and shown)")
	fl.IntVar(&o.Case, "case", 0, "of the generated writes only this case")
	fl.BoolVar(&o.DropCaches, "drop-caches", false, "with --dir: drop the system's unused inodes once, to tell whether patch 6 is there")
	fl.StringVar(&o.Variant, "variant", "auto", "what the kernel is meant to be: auto, "+strings.Join(model.VariantNames(), ", ")+
		", with +patchN or -patchN behind it")
	fl.StringVar(&o.Attach, "attach", "auto", attachUsage)
	fl.BoolVar(&o.json, "json", false, "the report as one JSON object")
	o.registerTests(fl)
	fl.StringVarP(&o.out, "output", "o", "", "keep report, explanations and records of failures in this new directory")
	fl.BoolVar(&o.verbose, "verbose", false, "a line for the writes that passed, too")
	fl.BoolVar(&o.Keep, "keep", false, "leave the scenarios' files, and the image")
}

// scenarioSet returns the chosen scenarios.
func (o *validateOptions) scenarioSet() ([]validate.Scenario, error) {
	if o.scenarios == noneOf || o.Case > 0 && o.scenarios == "" {
		return nil, nil
	}
	read := validate.Builtin
	if o.files != "" {
		read = func() ([]validate.Scenario, error) { return validate.ParseFS(os.DirFS(o.files), ".") }
	}
	all, err := read()
	if err != nil {
		return nil, &exit.Error{Code: exit.Usage, Msg: err.Error(), Hint: progName + " validate --help"}
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
	if err := o.complete(); err != nil {
		return err
	}
	if err := o.makeOutput(); err != nil {
		return err
	}
	if o.dir == "" {
		return o.runConfigs(ctx)
	}
	// Others may write to the same file system: what they do is not our business.
	own := probes.Filter{Pid: uint32(os.Getpid())}
	return o.traced(own, func(x *campaign.Run) error {
		return validateError(x.Dir(ctx, o.dir), "ended by a signal")
	})
}

// check finds what makes no sense in the flags.
func (o *validateOptions) check() error {
	given := 0
	for _, s := range []string{o.dir, o.device, o.image} {
		if s != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return usagef(progName+" validate --dir /mnt", "no --dir, --device or --image given")
	case given > 1:
		return usagef(progName+" validate --help", "--dir, --device and --image exclude each other")
	case o.Writes < 0 || o.Case < 0:
		return usagef("--writes 5000", "--writes and --case must not be negative")
	case o.Case > 0 && o.Seed == 0:
		return usagef("--seed 7 --case "+strconv.Itoa(o.Case), "--case without --seed")
	case o.dir != "" && o.config != "":
		return usagef("--device or --image", "--config needs a file system to make; --dir has one")
	case o.DropCaches && o.dir == "":
		return usagef("--dir DIR --drop-caches", "--drop-caches without --dir: other file systems are mounted again instead")
	case o.device == "" && o.destroyData:
		return usagef("--device /dev/sdX --destroy-data", "--destroy-data without --device")
	case o.device != "" && !o.destroyData:
		return usagef("--device "+o.device+" --destroy-data", "everything on %s would be lost, and --destroy-data is not given", o.device)
	}
	if _, err := o.configs(); err != nil {
		return usagef("--config "+strings.Join(target.ConfigNames(), ","), "%v", err)
	}
	if err := checkVariant(o.Variant); err != nil {
		return err
	}
	_, err := o.stormNames()
	return err
}

// makeOutput makes sure before the run that the report can be kept after it.
func (o *validateOptions) makeOutput() error {
	if err := errors.Join(o.checkKTAP("--json", o.json), o.checkJUnit(nil)); err != nil {
		return err
	}
	if o.out == "" {
		return nil
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return usagef("name another directory", "--output: %v", err)
	}
	entries, err := os.ReadDir(o.out)
	switch {
	case err != nil:
		return usagef("name another directory", "--output: %v", err)
	case len(entries) > 0:
		return usagef("name another directory", "--output %s: it is not empty", o.out)
	}
	return nil
}

// namespaceEnv holds the process that has a mount namespace of its own.
const namespaceEnv = "EXT4DIO_MOUNT_NAMESPACE"

func (o *validateOptions) configs() ([]target.Config, error) {
	return target.ParseConfigs(cmp.Or(o.config, target.DefaultConfigs))
}

// runConfigs carries out the scenarios on a file system of each configuration.
func (o *validateOptions) runConfigs(ctx context.Context) error {
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
	err = o.traced(all, func(x *campaign.Run) error { return targetError(x.Configs(ctx, dev, configs)) })
	if o.image != "" && !o.Keep {
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
	case errors.As(err, &refused):
		return &exit.Error{Code: exit.Usage, Msg: refused.Msg, Hint: refused.Hint}
	case errors.As(err, &unfit):
		return &exit.Error{Code: exit.Unfit, Msg: unfit.Error(), Hint: unfit.Hint}
	}
	return validateError(err, "ended by a signal; the file system is unmounted again")
}

// validateError turns an error that ended a validation into what main exits with; signal is
// said of one that a signal ended.
func validateError(err error, signal string) error {
	switch {
	case errors.Is(err, context.Canceled):
		return &exit.Error{Code: exit.Unfit, Msg: signal}
	case errors.Is(err, trial.ErrDisk):
		return &exit.Error{Code: exit.Unfit, Msg: err.Error(), Hint: "dmesg tells what the disk said; name another one"}
	case trial.IsDisk(err):
		return validateError(fmt.Errorf("%w: %w", trial.ErrDisk, err), signal)
	}
	return writeFailed(err, "validate", "free some space there, or name another place", progName+" vm -- validate --dir /mnt")
}

// complete sets what the flags do not.
func (o *validateOptions) complete() (err error) {
	o.Target, o.OwnOnly, o.Tool = o.dir+o.device+o.image, o.dir != "", versionText()
	o.Out, o.Terminal, o.Note = os.Stderr, isTerminal(os.Stderr), func(text string) { note(os.Stderr, "%s", text) }
	if o.Storms, err = o.stormNames(); err == nil {
		o.Scenarios, err = o.scenarioSet()
	}
	return err
}

// stormNames are the storms that --storms chooses.
func (o *validateOptions) stormNames() ([]string, error) {
	if o.storms == noneOf || o.Case > 0 && o.storms == "" {
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

// traced calls use with the probes attached behind a filter, and gives the report that it made to
// the user, even when it could not go on.
func (o *validateOptions) traced(filter probes.Filter, use func(*campaign.Run) error) error {
	x, err := campaign.Begin(o.Options, filter)
	if err != nil {
		return err
	}
	err = use(x)
	if err == nil || x.Saw() {
		err = foremost(o.conclude(x, err), err)
	}
	return foremost(err, x.Close())
}

// conclude gives the report to the user and says how the run ends that err cut short, unless
// it is nil.
func (o *validateOptions) conclude(x *campaign.Run, err error) error {
	short := ""
	if err != nil {
		short = oneLine(err.Error())
	}
	if err := x.Conclude(short); err != nil {
		return err
	}
	return foremost(o.verdict(x.Outcome), o.write(x.Outcome))
}

// verdict is what the run means as an error: nil when it proved all right, or when it was cut
// short with nothing wrong seen, as what did that says more.
func (o *validateOptions) verdict(out *outcome.Outcome) error {
	why := strings.Join(out.Why, "; ")
	if out.CutShort != "" && out.Result != outcome.Failed {
		return nil
	}
	switch out.Result {
	case outcome.Failed:
		return &exit.Error{Code: exit.Disagree, Msg: why, Hint: o.again(out)}
	case outcome.NotPossible:
		return &exit.Error{Code: exit.Unfit, Msg: why, Hint: progName + " validate --config help"}
	case outcome.Unproven:
		return &exit.Error{Code: exit.Unproven, Msg: why, Hint: progName + " validate --help"}
	}
	return nil
}

// again is how to have the failures kept.
func (o *validateOptions) again(out *outcome.Outcome) string {
	if o.out != "" {
		return "see " + filepath.Join(o.out, "failures.txt")
	}
	return fmt.Sprintf("-o DIR keeps the explanations and records; --seed %d repeats the writes", out.Seed)
}

// write writes the report to all that want it.
func (o *validateOptions) write(out *outcome.Outcome) error {
	var err error
	if o.junit != "" {
		err = outfile.Out{Flag: "--junit", Path: o.junit}.Write(out.WriteJUnit)
	}
	if o.out != "" {
		err = errors.Join(err, out.Save(o.out, o.verbose))
	}
	switch {
	case o.ktap:
		return errors.Join(err, out.WriteKTAP(os.Stdout))
	case o.json:
		return errors.Join(err, out.WriteJSON(os.Stdout))
	}
	return errors.Join(err, out.WriteText(os.Stdout, o.verbose))
}
