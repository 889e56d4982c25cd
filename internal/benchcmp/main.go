package main

import (
	"bytes"
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
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read benchmarks: %w", err)
	}
	now, err := parse(bytes.NewReader(text))
	if err != nil {
		return err
	}
	if *update {
		return os.WriteFile(*file, text, 0o644)
	}
	stored, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("read baseline: %w", err)
	}
	before, err := parse(bytes.NewReader(stored))
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
