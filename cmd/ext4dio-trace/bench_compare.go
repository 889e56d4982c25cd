package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
)

// newCompareCmd makes the command that sets reports of several kernels side by side.
func newCompareCmd() *cobra.Command {
	var format, out string
	formats := strings.Join(bench.Formats(), ", ")
	cmd := &cobra.Command{
		Use:   "compare [NAME=]FILE [NAME=]FILE…",
		Short: "set the results of several kernels side by side",
		Long: `Reads what "bench test1|test2|all" wrote with --json or -o and makes the tables of
the cover letter: a line for each number of jobs, a column for each file, and the
speedup of the last file over the first. A column has the name of its file, or the
one given before "=". What was traced has a second table with the share of
exclusive locks and the time waited for i_rwsem. Nothing is measured here.

Files with the same NAME= are runs of one column, as are several reports of a test in
one file. Two runs or more of each have intervals, and where the last column may as
well be as fast as the first, it says "no difference shown".`,
		Example: `  ext4dio-trace bench compare base.json patch3.json patch4.json
  ext4dio-trace bench compare base=b.json '+patch 3=p3.json' '+patch 3+4=p4.json' --format markdown
  ext4dio-trace bench compare base=b1.json base=b2.json base=b3.json new=n1.json new=n2.json new=n3.json
  ext4dio-trace bench compare base.json patch4.json --format svg -o iops.svg`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(bench.Formats(), format) {
				return usagef("--format "+formats, "unknown format %q", format)
			}
			c, err := readColumns(args)
			if err != nil {
				return usagef(progName+" bench compare base.json patched.json", "%v", err)
			}
			to := outfile.Out{Flag: "-o", Path: out}
			if err := outfile.Check(comparedFiles(args), to); err != nil {
				return err
			}
			return writeComparison(cmd.OutOrStdout(), to, c, format)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&format, "format", "text", "`FORMAT`: "+formats)
	fl.StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output")
	return cmd
}

// readColumns reads the files that are to be compared. Those with the same NAME= are runs of
// one column.
func readColumns(args []string) (bench.Comparison, error) {
	var order []string
	var files []os.FileInfo
	reports := map[string][]*bench.Report{}
	named := map[string]bool{}
	for _, arg := range args {
		name, file, ok := columnOf(arg)
		read, st, err := readReports(file)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(files, func(other os.FileInfo) bool { return os.SameFile(st, other) }) {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		files = append(files, st)
		switch {
		case reports[name] == nil:
			order = append(order, name)
		case !ok || !named[name]:
			return nil, fmt.Errorf("two reports are called %q; those of one column are each NAME=FILE", name)
		}
		reports[name], named[name] = append(reports[name], read...), ok
	}
	var c bench.Comparison
	for _, name := range order {
		x, err := bench.NewColumn(name, reports[name])
		if err != nil {
			return nil, err
		}
		c = append(c, x)
	}
	return c, c.Check()
}

// columnOf takes NAME=FILE apart; a file's own name may hold "=".
func columnOf(arg string) (name, file string, named bool) {
	name, file, named = strings.Cut(arg, "=")
	if _, err := os.Stat(arg); err == nil || !named {
		return strings.TrimSuffix(filepath.Base(arg), ".json"), arg, false
	}
	return name, file, true
}

// comparedFiles are the files that are read.
func comparedFiles(args []string) (files []string) {
	for _, arg := range args {
		_, file, _ := columnOf(arg)
		files = append(files, file)
	}
	return files
}

func readReports(file string) ([]*bench.Report, os.FileInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	reports, err := bench.Read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return reports, st, nil
}

// writeComparison writes to a file when one is named, else to w.
func writeComparison(w io.Writer, to outfile.Out, c bench.Comparison, format string) error {
	write := func(w io.Writer) error { return c.Write(w, format) }
	if to.Path != "" && to.Path != outfile.Stdout {
		return to.Write(write)
	}
	if err := write(w); !isClosedPipe(err) {
		return err
	}
	return nil
}
