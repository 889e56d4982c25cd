package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "benchcmp: %v\n", err)
		os.Exit(1)
	}
}

// errWorse is returned when a benchmark is slower than allowed or allocates more.
var errWorse = errors.New("worse than the baseline")

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("benchcmp", flag.ContinueOnError)
	file := flags.String("baseline", "internal/benchcmp/testdata/baseline.txt", "the stored run, a `file`")
	update := flags.Bool("update", false, "store this run instead of comparing")
	most := flags.Float64("max", 0, "fail when a `ratio` is above this; 0 for never. More allocations than before always fail")
	if err := flags.Parse(args); err != nil {
		return err
	}
	now, err := parse(in)
	if err != nil {
		return err
	}
	if *update {
		return store(*file, now)
	}
	f, err := os.Open(*file)
	if err != nil {
		return fmt.Errorf("open baseline: %w", err)
	}
	defer f.Close()
	before, err := parse(f)
	if err != nil {
		return fmt.Errorf("read baseline: %w", err)
	}
	rows := compare(before, now)
	if err := write(out, rows, before, now); err != nil {
		return err
	}
	for _, r := range rows {
		if r.worse(*most) {
			return errWorse
		}
	}
	return nil
}

// store writes r as a baseline.
func store(file string, r *result) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("create baseline: %w", err)
	}
	if err := errors.Join(r.write(f), f.Close()); err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	return nil
}
