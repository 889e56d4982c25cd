package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// observed explains the lines of "live --json" on standard input.
func (o *explainOptions) observed(cmd *cobra.Command) error {
	if f, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(f) {
		return usagef(explainHint, "no --pos given, and no lines of \"live --json\" on standard input")
	}
	if o.json {
		return usagef(progName+" explain --pos 0 --len 4K --json", "--json explains flags, not lines of JSON")
	}
	in := bufio.NewScanner(cmd.InOrStdin())
	in.Buffer(nil, 1<<20)
	n := 0
	for in.Scan() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		row, err := export.ParseJSON(line)
		if errors.Is(err, export.ErrNoFacts) && n > 0 {
			continue // the summary at the end
		}
		if err != nil {
			return usagef(progName+" live --json | "+progName+" explain", "line %d of standard input: %v", n+1, err)
		}
		if n++; n > 1 {
			fmt.Fprintln(cmd.OutOrStdout())
		}
		if err := o.explainRow(cmd, row); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	if n == 0 {
		return usagef(explainHint, "no --pos given, and no line on standard input")
	}
	return nil
}

// explainRow explains one line under the variant that it was judged by, or those
// that were asked for.
func (o *explainOptions) explainRow(cmd *cobra.Command, row *export.Row) error {
	name := o.variant
	if !cmd.Flags().Changed("variant") && row.Variant != "" {
		name = row.Variant
	}
	variants, err := parseVariants(name)
	if err != nil {
		return err
	}
	path := row.Path
	if path == "" {
		path = fmt.Sprintf("inode %d", row.Ino)
	}
	ob := explain.Observed{
		Title: fmt.Sprintf("%s on %s, by %s (pid %d, tid %d)", export.Safe(path), export.DevName(row.Dev), export.Safe(row.Comm), row.Pid, row.Tid),
		Write: row.Observation(), Variants: variants,
	}
	return ob.WriteText(cmd.OutOrStdout())
}

// recorded explains one write of a trace, by its number.
func (o *explainOptions) recorded(cmd *cobra.Command) error {
	const hint = progName + " check " // it lists the numbers of writes that disagree
	switch {
	case o.seq == 0:
		return usagef(hint+o.trace, "--trace needs --seq N, the number of a write in it")
	case o.json:
		return usagef(progName+" view --json "+o.trace, "--json explains flags, not a recorded write")
	}
	in, err := openTrace([]string{o.trace}, "", "explained")
	if err != nil {
		return err
	}
	defer in.Close()
	row, total, err := findWrite(cmd, in, o.seq)
	switch {
	case err != nil:
		return err
	case row == nil:
		return usagef(hint+o.trace, "there is no write %d in %s, which has %d", o.seq, o.trace, total)
	}
	return o.explainRow(cmd, row)
}

// findWrite judges a trace up to the write of a number, counted from 1 as view shows
// them. The row is nil when there are only total.
func findWrite(cmd *cobra.Command, in *tracefile.Recording, number uint64) (row *export.Row, total uint64, err error) {
	_, err = replay.Judge(cmd.Context(), in, "auto", func(k *session.Kernel) session.Seen {
		maker := k.Maker(in)
		return func(ob *observe.Observation, v *judge.Verdict) {
			if total++; total == number {
				row = new(export.Row)
				maker.Fill(row, ob, v)
				_ = in.Stop() // it never fails
			}
		}
	})
	if err != nil {
		return nil, 0, err
	}
	return row, total, nil
}
