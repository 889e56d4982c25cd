package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
	if errors.Is(err, errLeft) {
		os.Exit(1)
	}
	os.Exit(2)
}

// errLeft is returned when a run is complete but there are mutants to look at.
var errLeft = errors.New("there are mutants that no test kills, or that are listed wrongly, or behaviours without an effect")

// options are what the command line says.
type options struct {
	dir                string // the package, as it was named
	match, slow, table string
	list, quick        bool
	// limit is how long the quick tests of a mutant may take. All of them may take ten
	// times as long: a machine with other work to do is slow, and what loops for ever
	// is nearly always met by the quick ones.
	limit time.Duration
}

// parse reads the command line; flags may stand on both sides of the folder.
func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.StringVar(&o.match, "run", "", "only mutants whose name matches this `regexp`")
	flags.BoolVar(&o.list, "list", false, "list the mutants and stop")
	flags.StringVar(&o.table, "o", "", "write the table of a complete run to this `file`")
	flags.StringVar(&o.slow, "slow", "Exhaustive|TwoImplementations|Shifted|Scaled|SplitExtent|Truths", "tests that are left for last, a `regexp`")
	flags.BoolVar(&o.quick, "quick", false, "leave the slow tests out: what only they notice shows as survived")
	flags.DurationVar(&o.limit, "limit", time.Minute, "how long the quick tests of a mutant may take; all of them ten times as long")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.dir = flags.Arg(0)
	if flags.NArg() > 1 {
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return o, err
		}
		if flags.NArg() > 0 {
			return o, fmt.Errorf("one folder at a time, not %s too", flags.Arg(0))
		}
	}
	switch {
	case o.dir == "":
		return o, errors.New("which folder? give the package, as in ./userspace-model")
	case o.table != "" && (o.match != "" || o.quick):
		return o, errors.New("-o needs a complete run, without -run and -quick")
	}
	return o, nil
}

func run(ctx context.Context, args []string, w io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	mutants, err := choose(&o)
	if err != nil {
		return err
	}
	idle, err := unread(o.dir)
	if err != nil {
		return err
	}
	if o.list {
		for i := range mutants {
			fmt.Fprintln(w, mutants[i].name())
		}
		fmt.Fprintf(w, "%d mutants\n", len(mutants))
		return tellUnread(w, idle)
	}
	reasons, err := readEquivalent(equivalentText)
	if err != nil {
		return fmt.Errorf("read equivalent.txt: %w", err)
	}
	results, err := tryAll(ctx, &o, mutants, reasons, w)
	if err != nil {
		return err
	}
	c := count(results)
	fmt.Fprintln(w, c)
	if err := writeFile(&o, results); err != nil {
		return err
	}
	if err := tellUnread(w, idle); err != nil || c.wrong > 0 {
		return errLeft
	}
	return nil
}

// tellUnread names the behaviours that have no effect; there must be none.
func tellUnread(w io.Writer, idle []string) error {
	for _, name := range idle {
		fmt.Fprintf(w, "no condition reads %s: a variant that has it does as one that has not\n", name)
	}
	if len(idle) > 0 {
		return errLeft
	}
	return nil
}

// choose lists the mutants that -run names.
func choose(o *options) ([]mutant, error) {
	match, err := regexp.Compile(o.match)
	if err != nil {
		return nil, err
	}
	mutants, err := find(o.dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(mutants, func(m mutant) bool { return !match.MatchString(m.name()) }), nil
}

// writeFile writes the table to the file of -o, if there is one.
func writeFile(o *options, results []result) error {
	if o.table == "" {
		return nil
	}
	var b bytes.Buffer
	if err := writeTable(&b, filepath.ToSlash(filepath.Clean(o.dir)), results); err != nil {
		return err
	}
	return os.WriteFile(o.table, b.Bytes(), 0o644)
}

// tryAll tries the mutants one after the other and says what became of each.
func tryAll(ctx context.Context, o *options, mutants []mutant, reasons map[string]string, w io.Writer) ([]result, error) {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	t := tester{options: *o, tmp: tmp, mutants: mutants}
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	var results []result
	for i := range mutants {
		m := &mutants[i]
		got, err := t.try(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name(), err)
		}
		r := result{*m, got, reasons[m.name()]}
		results = append(results, r)
		fate, _ := r.verdict()
		fmt.Fprintf(w, "%s:%d: %s: %s: %s -> %s: %s\n", r.file, r.line, r.fn, r.where, r.old, r.new, fate)
	}
	return results, nil
}
