package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm/matrix"
)

// newMatrix reads the flags of vm. Those of the subcommand say whether JSON is wanted.
func newMatrix(v *vmFlags, fl *pflag.FlagSet, args []string) (*matrix.Matrix, error) {
	m := &matrix.Matrix{Kernels: strings.Split(v.matrix, ","), Jobs: v.jobs, Args: args, Log: os.Stderr}
	switch {
	case fl.Changed("kernel"):
		return nil, &hint.UsageError{Msg: "--kernel and --matrix exclude each other"}
	case len(args) == 0 || args[0] != "validate":
		return nil, &hint.UsageError{Msg: "--matrix makes a table of validate, and of nothing else", Hint: "vm --matrix " + v.matrix + " -- validate --device /dev/sda --destroy-data --yes"}
	case slices.Contains(m.Kernels, ""):
		return nil, &hint.UsageError{Msg: "--matrix: an empty name among the kernels"}
	case m.Jobs < 0:
		return nil, &hint.UsageError{Msg: "--jobs must not be negative"}
	}
	if m.Jobs == 0 {
		m.Jobs = runtime.NumCPU()
	}
	if !slices.Contains(args, "--json") {
		m.Args = append(slices.Clone(args), "--json")
	}
	fl.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "matrix", "jobs":
		case "out":
			m.OutDir = f.Value.String()
		default:
			m.Flags = append(m.Flags, typed(f)...)
		}
	})
	return m, nil
}

// typed is a flag as it would be typed.
func typed(f *pflag.Flag) []string {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return []string{"--" + f.Name + "=" + f.Value.String()}
	}
	var out []string
	for _, value := range list.GetSlice() {
		out = append(out, "--"+f.Name+"="+value)
	}
	return out
}

// runMatrix carries out all kernels, shows what came out, and returns the exit status: the
// worst of theirs.
func runMatrix(ctx context.Context, m *matrix.Matrix, asJSON bool) (int, error) {
	var err error
	if m.Self, err = os.Executable(); err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	runs := m.Run(ctx)
	if asJSON {
		err = writeJSON(os.Stdout, runs)
	} else {
		err = matrix.WriteText(os.Stdout, runs)
	}
	return matrix.Worst(runs), err
}
