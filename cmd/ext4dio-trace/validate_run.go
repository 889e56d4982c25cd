package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/validate/campaign"
	"github.com/ext4dio/ext4dio-trace/prove/validate/outcome"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
)

// runOptions are the flags as package campaign takes them.
func (o *validateOptions) runOptions() (campaign.Options, error) {
	ro := campaign.Options{
		Target: o.dir + o.device + o.image, OwnOnly: o.dir != "", Writes: o.writes, Case: o.number,
		Seed: o.seed, Variant: o.variant, DropCaches: o.dropCaches, Keep: o.keep, Attach: o.attach, Tool: versionText(),
		Out: os.Stderr, Terminal: isTerminal(os.Stderr), Note: func(text string) { note(os.Stderr, "%s", text) },
	}
	var err error
	if ro.Storms, err = o.stormNames(); err == nil {
		ro.Scenarios, err = o.scenarioSet()
	}
	return ro, err
}

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

// traced calls use with the probes attached behind a filter, and gives the report that it made to
// the user, even when it could not go on.
func (o *validateOptions) traced(ro campaign.Options, filter probes.Filter, use func(*campaign.Run) error) error {
	x, err := campaign.Begin(ro, filter)
	if err != nil {
		return err
	}
	err = use(x)
	if err == nil || len(x.Outcome.Configs) > 0 {
		err = errors.Join(err, o.conclude(x, err != nil))
	}
	return errors.Join(err, x.Close())
}

// conclude gives the report to the user and says how the run ends. A run that was
// cut short proves nothing.
func (o *validateOptions) conclude(x *campaign.Run, short bool) error {
	if err := x.Conclude(short); err != nil {
		return err
	}
	out := x.Outcome
	if err := o.write(out); err != nil || short {
		return err
	}
	why := strings.Join(out.Why, "; ")
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
		err = outcome.WriteFile(o.junit, out.WriteJUnit)
	}
	if o.out != "" {
		err = errors.Join(err, out.Save(o.out, o.verbose))
	}
	if o.json {
		return errors.Join(err, out.WriteJSON(os.Stdout))
	}
	return errors.Join(err, out.WriteText(os.Stdout, o.verbose))
}
