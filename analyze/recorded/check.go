// Package recorded answers what is asked of a recording: how its writes were judged, what
// one attaches to a bug report, and what another kernel would do with them. Nothing here
// needs the kernel that was traced.
package recorded

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Checked is one recording after it was judged: what check says of it.
type Checked struct {
	Summary export.Summary
	in      *tracefile.Recording
	counts  export.Breakdown
	wrong   []disagreement // the first ones
}

// maxWrong is how many disagreements check lists.
const maxWrong = 10

// disagreement is one write that is not as the model says.
type disagreement struct {
	Seq     uint64   `json:"seq"` // its number in the trace, from 1
	Verdict string   `json:"verdict"`
	Rules   []string `json:"rules"`
	Why     []string `json:"why"`
	Pid     uint32   `json:"pid"`
	Comm    string   `json:"comm"`
	Dev     string   `json:"dev"`
	Ino     uint64   `json:"ino"`
	Path    string   `json:"path"`
	Pos     int64    `json:"pos"`
	Len     int64    `json:"len"`

	reason string
}

// note keeps a write that disagrees, when it is one of the first.
func (c *Checked) note(o *observe.Observation, v *judge.Verdict) {
	if !v.Kind.Disagrees() || len(c.wrong) == maxWrong {
		return
	}
	c.wrong = append(c.wrong, disagreement{
		Seq: c.Summary.Totals.Writes, Verdict: v.Kind.String(), Rules: v.Rules.AppendIDs([]string{}), Why: v.Why(),
		Pid: o.Pid, Comm: o.Comm, Dev: export.DevName(o.Dev), Ino: o.Ino, Path: c.in.Path(o.Dev, o.Ino, o.Pid), Pos: o.Pos0, Len: o.Len0, reason: string(v.Reason),
	})
}

// appendText adds one line about it.
func (d *disagreement) appendText(w io.Writer) {
	file := d.Path
	if file == "" {
		file = fmt.Sprintf("inode %d on %s", d.Ino, d.Dev)
	}
	fmt.Fprintf(w, "%s:  write %d, %d+%d to %s by %s: %s", d.Verdict, d.Seq, d.Pos, d.Len, export.Safe(file), export.Safe(d.Comm), d.reason)
	if len(d.Rules) > 0 {
		fmt.Fprintf(w, "; broken: %s", strings.Join(d.Rules, " "))
	}
	fmt.Fprintln(w)
}

// Check judges one recording by a variant, auto or the name of one, and adds up what came
// out.
func Check(ctx context.Context, in *tracefile.Recording, variant string) (*Checked, error) {
	c := &Checked{in: in}
	var row export.Row
	judged, err := replay.Judge(ctx, in, variant, func(k *session.Kernel) session.Seen {
		maker := k.Maker(nil) // names are asked for once a file, at the end
		return func(o *observe.Observation, v *judge.Verdict) {
			maker.FillCounted(&row, o, v)
			c.Summary.Totals.Add(&row)
			c.counts.Add(&row)
			c.note(o, v)
		}
	})
	if err != nil {
		return nil, err
	}
	return c, judged.Account(&c.Summary)
}

// Missing reports whether something of the recording could not be read.
func (c *Checked) Missing() bool { return c.in.Missing() != nil }

// WriteText writes recordings as text: what is missing first.
func WriteText(stdout io.Writer, done []*Checked) error {
	for i, c := range done {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		info := c.in.Info()
		_, err := fmt.Fprintf(stdout, "trace:    Linux %s, %s, recorded %s\n", export.Safe(info.Release), export.Safe(info.Arch), info.Began.UTC().Format("2006-01-02 15:04:05 MST"))
		if err != nil {
			return err
		}
		replay.SayMissing(stdout, c.in)
		if _, err := c.Summary.WriteTo(stdout); err != nil {
			return err
		}
		for i := range c.wrong {
			c.wrong[i].appendText(stdout)
		}
		if n := c.Summary.Totals.Disagreements(); n > 0 {
			fmt.Fprintf(stdout, "          (%d of %d that disagree; explain --trace FILE --seq NUMBER tells more)\n", len(c.wrong), n)
		}
		fmt.Fprintln(stdout)
		if err := c.counts.WriteText(stdout, c.in); err != nil {
			return err
		}
	}
	return nil
}

// checkedJSON is one recording for programs.
type checkedJSON struct {
	Info    *tracefile.Info `json:"info"`
	Missing *string         `json:"missing"` // null when the trace is whole
	Unknown uint64          `json:"unknown_records"`
	Summary json.RawMessage `json:"summary"`
	Counts  json.RawMessage `json:"counts"`
	Wrong   []disagreement  `json:"disagreements"` // the first ones
}

// WriteJSON writes recordings as one JSON object.
func WriteJSON(w io.Writer, done []*Checked) error {
	out := struct {
		Traces []checkedJSON `json:"traces"`
	}{Traces: []checkedJSON{}}
	for _, c := range done {
		info := *c.in.Info()
		info.Facts, info.Plan = nil, nil // long, and for programs only
		j := checkedJSON{Info: &info, Unknown: c.in.Unknown(), Wrong: c.wrong}
		if text := replay.Missing(c.in); text != "" {
			j.Missing = &text
		}
		var err error
		if j.Summary, err = c.Summary.JSON(); err != nil {
			return err
		}
		if j.Counts, err = c.counts.JSON(c.in); err != nil {
			return err
		}
		out.Traces = append(out.Traces, j)
	}
	return json.NewEncoder(w).Encode(out)
}
