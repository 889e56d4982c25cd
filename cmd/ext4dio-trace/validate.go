package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/campaign"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// defaultGenerated is the number of generated writes for each configuration.
const defaultGenerated = 2500

// noneOf is the pattern that stands for no scenario and no storm.
const noneOf = "none"

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
	storms      string
	dropCaches  bool
	json        bool
	junit       string
	out         string
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
	fl.StringVar(&o.dir, "dir", "", "directory on an ext4 in which to make "+validate.DirName)
	fl.StringVar(&o.device, "device", "", "disk whose data is destroyed")
	fl.BoolVar(&o.destroyData, "destroy-data", false, "yes, destroy the data of --device")
	fl.BoolVar(&o.yes, "yes", false, "do not ask, and destroy what is no ext4, too")
	fl.StringVar(&o.image, "image", "", "image file to make and remove")
	fl.StringVar(&o.config, "config", "", "with --device or --image: names, all, or help for a list (default "+target.DefaultConfigs+")")
	fl.StringVar(&o.scenarios, "scenarios", "", "only those whose theme or name matches this pattern, or none")
	fl.StringVar(&o.files, "files", "", "directory with scenario files to use instead of the built-in ones")
	fl.IntVar(&o.writes, "writes", defaultGenerated, "generated writes on random layouts, for each configuration")
	fl.StringVar(&o.storms, "storms", "", "only those storms of writers whose name matches this pattern, or none")
	fl.Uint64Var(&o.seed, "seed", 0, "what generated writes and storms follow from (default: another each time, and shown)")
	fl.IntVar(&o.number, "case", 0, "of the generated writes only this case")
	fl.BoolVar(&o.dropCaches, "drop-caches", false, "with --dir: drop the system's unused inodes once, to tell whether patch 6 is there")
	fl.StringVar(&o.variant, "variant", "auto", "what the kernel is meant to be: auto, "+strings.Join(model.VariantNames(), ", ")+
		", with +patchN or -patchN behind it")
	fl.StringVar(&o.attach, "attach", "auto", attachUsage)
	fl.BoolVar(&o.json, "json", false, "the report as one JSON object")
	fl.StringVar(&o.junit, "junit", "", "write the report as JUnit XML into this file, too")
	fl.StringVarP(&o.out, "output", "o", "", "keep report, explanations and records of failures in this new directory")
	fl.BoolVar(&o.verbose, "verbose", false, "a line for the writes that passed, too")
	fl.BoolVar(&o.keep, "keep", false, "leave the scenarios' files, and the image")
}

// scenarioSet returns the chosen scenarios.
func (o *validateOptions) scenarioSet() ([]validate.Scenario, error) {
	if o.scenarios == noneOf || o.number > 0 && o.scenarios == "" {
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
	ro, err := o.runOptions()
	if err != nil {
		return err
	}
	if err := o.makeOutput(); err != nil {
		return err
	}
	if o.dir == "" {
		return o.runConfigs(ctx, ro)
	}
	// Others may write to the same file system: what they do is not our business.
	own := probes.Filter{Pid: uint32(os.Getpid())}
	return o.traced(ro, own, func(x *campaign.Run) error { return workloadError(x.Dir(ctx, o.dir)) })
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
	case o.writes < 0 || o.number < 0:
		return usagef("--writes 5000", "--writes and --case must not be negative")
	case o.number > 0 && o.seed == 0:
		return usagef("--seed 7 --case "+strconv.Itoa(o.number), "--case without --seed")
	case o.dir != "" && o.config != "":
		return usagef("--device or --image", "--config needs a file system to make; --dir has one")
	case o.dropCaches && o.dir == "":
		return usagef("--dir DIR --drop-caches", "--drop-caches without --dir: other file systems are mounted again instead")
	case o.device == "" && o.destroyData:
		return usagef("--device /dev/sdX --destroy-data", "--destroy-data without --device")
	case o.device != "" && !o.destroyData:
		return usagef("--device "+o.device+" --destroy-data", "everything on %s would be lost, and --destroy-data is not given", o.device)
	}
	if _, err := o.configs(); err != nil {
		return usagef("--config "+strings.Join(target.ConfigNames(), ","), "%v", err)
	}
	if err := checkVariant(o.variant); err != nil {
		return err
	}
	_, err := o.stormNames()
	return err
}

// makeOutput makes sure before the run that the report can be kept after it.
func (o *validateOptions) makeOutput() error {
	if o.junit != "" {
		if st, err := os.Stat(filepath.Dir(o.junit)); err != nil || !st.IsDir() {
			return usagef("mkdir "+filepath.Dir(o.junit), "--junit %s: there is no such directory", o.junit)
		}
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
