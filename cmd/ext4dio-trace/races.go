package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/races"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// racesOptions are the flags of races.
type racesOptions struct {
	variant  string
	fault    string
	format   string
	scenario string
	writers  int
	patch2   bool
	json     bool
}

// newRacesCmd makes the command that explores interleavings of writers.
func newRacesCmd() *cobra.Command {
	var o racesOptions
	var faults, families strings.Builder
	for _, f := range races.Faults() {
		fmt.Fprintf(&faults, "  %-21s %s\n", f, f.Text())
	}
	for _, n := range races.FamilyNames() {
		fmt.Fprintf(&families, "  %-21s %s\n", n[0], n[1])
	}
	cmd := &cobra.Command{
		Use:   "races --variant NAME",
		Short: "explore interleavings of writers in the model",
		Long: `races takes small files and two or three direct writes to them, and visits every
order of their steps: the lockless guess, i_rwsem, the lookups, the drain, the
bios, their completions, the buffered fallback. Lock, drain and wait are what the
reference model decides. At the end every sector must hold what was written to
it; the shortest sequence of steps that loses a byte is printed. Nothing is
traced, and no file is written. A search within these bounds is no proof beyond
them.

Faults that can be planted, to see that the search finds them:
` + faults.String() + `
Scenarios:
` + families.String() + `
Exit status 1 if a finding exists, planted or not; findings of class eof-tail are
known and do not count.`,
		Example: `  ext4dio-trace races --variant linux-7.3
  ext4dio-trace races --variant linux-7.3 --fault no-drain
  ext4dio-trace races --variant base --format indirect
  ext4dio-trace races --variant linux-6.12 --format indirect --patch2
  ext4dio-trace races --variant all --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRaces(cmd, &o) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&o.variant, "variant", "", "all, or "+strings.Join(model.VariantNames(), ", "))
	fl.StringVar(&o.fault, "fault", "none", "plant this fault; all: each in turn")
	fl.StringVar(&o.format, "format", "both", "how the inode maps its blocks: extents, indirect or both")
	fl.IntVar(&o.writers, "writers", 2, "writers at the same time: 2 or 3")
	fl.StringVar(&o.scenario, "scenario", "", "only the scenarios of this name")
	fl.BoolVar(&o.patch2, "patch2", false, "let the buffered fallback drain, as kernels with a backport of patch 2 do")
	fl.BoolVar(&o.json, "json", false, "the report as one JSON object")
	return cmd
}

// options turns the flags into what races.Run takes.
func (o *racesOptions) options() (races.Options, error) {
	out := races.Options{Writers: o.writers, Scenario: o.scenario, Patch2: o.patch2}
	switch o.variant {
	case "":
		return out, usagef(progName+" races --variant linux-7.3", "no --variant given")
	case "all":
		out.Variants = model.Distinct()
	default:
		v, err := model.ParseVariant(o.variant)
		if err != nil {
			return out, usagef("--variant all, "+strings.Join(model.VariantNames(), ", "), "unknown variant %q", o.variant)
		}
		out.Variants = []model.Variant{v}
	}
	if o.fault == "all" {
		out.Faults = races.Faults()
	} else {
		f, err := races.ParseFault(o.fault)
		if err != nil {
			return out, usagef(progName+" races --help", "%v", err)
		}
		out.Faults = []races.Fault{f}
	}
	switch o.format {
	case "both":
	case "extents":
		out.Formats = []races.Format{races.Extents}
	case "indirect":
		out.Formats = []races.Format{races.Indirect}
	default:
		return out, usagef("--format extents, indirect or both", "unknown value %q of --format", o.format)
	}
	return out, nil
}

// runRaces explores and writes the report to stdout.
func runRaces(cmd *cobra.Command, o *racesOptions) error {
	opts, err := o.options()
	if err != nil {
		return err
	}
	rep, err := races.Run(cmd.Context(), opts)
	switch {
	case errors.Is(err, races.ErrUsage):
		return usagef(progName+" races --help", "%v", err)
	case err != nil:
		return &exit.Error{Code: exit.Unproven, Msg: fmt.Sprintf("not explored to the end: %v", err)}
	}
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), rep)
	} else {
		err = rep.WriteText(cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	if rep.Found() {
		return &exit.Error{Code: exit.Disagree}
	}
	return nil
}
