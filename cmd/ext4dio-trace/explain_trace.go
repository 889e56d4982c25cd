package main

import (
	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

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
