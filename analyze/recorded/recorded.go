// Package recorded answers what is asked of a recording: how its writes were judged, what
// one attaches to a bug report, and what another kernel would do with them. Nothing here
// needs the kernel that was traced.
package recorded

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/advice"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
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
	watch   *expect.Watch  // what was expected; nil for nothing
	marks   *markCount     // by mark; nil when that is not asked for
	cut     error          // why not all of it was judged, else nil
	rules   tried
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
		Pid: o.Pid, Comm: o.Comm, Dev: export.DevName(o.Dev), Ino: o.Ino, Path: c.in.Path(o.File()), Pos: o.Pos0, Len: o.Len0, reason: string(v.Reason),
	})
}

// appendText adds one line about it.
func (d *disagreement) appendText(w io.Writer) {
	file := cmp.Or(d.Path, fmt.Sprintf("inode %d on %s", d.Ino, d.Dev))
	fmt.Fprintf(w, "%s:  write %d, %d+%d to %s by %s: %s", d.Verdict, d.Seq, d.Pos, d.Len, export.Safe(file), export.Safe(d.Comm), d.reason)
	if len(d.Rules) > 0 {
		fmt.Fprintf(w, "; broken: %s", strings.Join(d.Rules, " "))
	}
	fmt.Fprintln(w)
}

// Check judges one recording by a variant, auto or the name of one, and adds up what came
// out. With an error it returns what came out until then; nil when that is nothing.
func Check(ctx context.Context, in *tracefile.Recording, variant string, policies ...*expect.Policy) (*Checked, error) {
	return CheckBy(ctx, in, variant, false, policies...)
}

// CheckBy is Check, and counts by mark, too, when byMark says so.
func CheckBy(ctx context.Context, in *tracefile.Recording, variant string, byMark bool, policies ...*expect.Policy) (*Checked, error) {
	c := &Checked{in: in}
	if byMark {
		c.marks = newMarkCount(in, &coverage.ByMark{})
	}
	if len(policies) > 0 {
		c.watch = expect.NewWatch(policies)
	}
	var row export.Row
	advise := advice.New()
	judged, err := replay.Judge(ctx, in, variant, func(k *session.Kernel) session.Seen {
		maker := k.Maker(nil) // names are asked for once a file, at the end
		k.Held, advise.NoWaits = advise.Hold, maker.NoWaits
		c.rules.unprobed = k.Plan.Unattached
		return func(o *observe.Observation, v *judge.Verdict) {
			advise.Add(o, v)
			if c.watch == nil {
				maker.FillCounted(&row, o, v)
			} else {
				maker.Names, maker.Marks = in, in // filters ask for them
				maker.Fill(&row, o, v)
				c.watch.Add(&row)
			}
			c.Summary.Totals.Add(&row)
			c.counts.Add(&row)
			c.note(o, v)
			c.rules.add(o, v)
			if c.marks != nil {
				c.marks.add(o, v)
			}
		}
	})
	if c.marks != nil {
		c.marks.begin()
	}
	c.cut, c.Summary.Advice = err, advise.Findings(in)
	if c.Summary.Totals.Writes == 0 && err != nil {
		return nil, err
	}
	return c, errors.Join(err, judged.Account(&c.Summary))
}

// Missing reports whether something of the recording could not be read, or was not judged.
func (c *Checked) Missing() bool { return c.missing() != "" }

// Expected is what came of the policies; nil without any.
func (c *Checked) Expected() []expect.Result {
	if c.watch == nil {
		return nil
	}
	return c.watch.Results(expect.WholeOf(&c.Summary, c.missing()))
}

// missing says in one line what that is.
func (c *Checked) missing() string {
	if c.cut != nil {
		return c.cut.Error()
	}
	return replay.Missing(c.in)
}

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
		if !replay.SayMissing(stdout, c.in) && c.cut != nil {
			fmt.Fprintf(stdout, "MISSING: %s\n", c.missing())
		}
		if c.watch != nil {
			if err := expect.WriteText(stdout, c.Expected()); err != nil {
				return err
			}
		}
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
		if c.marks == nil {
			continue
		}
		fmt.Fprintln(stdout)
		if err := coverage.WriteMarks(stdout, c.marks.by.Marks(), export.SafeMark); err != nil {
			return err
		}
	}
	return nil
}

// checkedJSON is one recording for programs.
type checkedJSON struct {
	Info    *tracefile.Info   `json:"info"`
	Missing *string           `json:"missing"` // null when the trace is whole
	Unknown uint64            `json:"unknown_records"`
	Summary json.RawMessage   `json:"summary"`
	Counts  json.RawMessage   `json:"counts"`
	Wrong   []disagreement    `json:"disagreements"` // the first ones
	Marks   []coverage.Marked `json:"marks"`         // null without --by
	Expect  []expect.Result   `json:"expect"`        // null without policies
}

// WriteJSON writes recordings as one JSON object.
func WriteJSON(w io.Writer, done []*Checked) error {
	out := struct {
		Traces []checkedJSON `json:"traces"`
	}{Traces: []checkedJSON{}}
	for _, c := range done {
		info := *c.in.Info()
		info.Facts, info.Plan = nil, nil // long, and for programs only
		j := checkedJSON{Info: &info, Unknown: c.in.Unknown(), Wrong: c.wrong, Expect: c.Expected()}
		if text := c.missing(); text != "" {
			j.Missing = &text
		}
		if c.marks != nil {
			j.Marks = c.marks.by.Marks()
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
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // policies have < and >
	return enc.Encode(out)
}

// ReportOptions say what a report is made of.
type ReportOptions struct {
	Variant   string            // by which writes are judged: auto, or the name of one
	Redact    *redact.Redactor  // replaces names by tokens; nil for none
	Predictor *whatif.Predictor // tells what another variant would do; nil for none
	Tool      string            // version of this program
}

// Report makes the report of a recording.
func Report(ctx context.Context, in *tracefile.Recording, o ReportOptions) (*report.Report, error) {
	p := &report.Report{Title: "Direct writes on ext4, Linux " + in.Info().Release, Redacted: o.Redact != nil, Names: in}
	info := in.Info()
	if o.Redact != nil {
		p.Names = o.Redact.Names(in)
		var err error
		if info, err = o.Redact.Info(info); err != nil {
			return nil, err
		}
	}
	var row export.Row
	advise, marks := advice.New(), reportMarks(in, o.Redact)
	judged, err := replay.Judge(ctx, in, o.Variant, func(k *session.Kernel) session.Seen {
		maker := k.Maker(p.Names)
		advise.NoWaits = maker.NoWaits
		k.Held = func(h *observe.Hold) {
			advise.Hold(h)
			if o.Predictor != nil {
				o.Predictor.Hold(h)
			}
		}
		return func(ob *observe.Observation, v *judge.Verdict) {
			advise.Add(ob, v)
			maker.Fill(&row, ob, v)
			if o.Redact != nil {
				o.Redact.Tasks(&row)
			}
			p.Add(&row)
			marks.add(ob, v)
			if o.Predictor != nil {
				o.Predictor.Traced(v.Variant)
				o.Predictor.Add(ob, string(v.Reason))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := judged.Account(&p.Summary); err != nil {
		return nil, err
	}
	p.Summary.Advice = advise.Findings(p.Names)
	p.Marks = marks.lines()
	if text := replay.Sampled(in); text != "" {
		p.Missing = append(p.Missing, text)
	}
	if text := replay.Missing(in); text != "" {
		p.Missing = append(p.Missing, text)
	}
	if n := in.Unknown(); n > 0 {
		p.Missing = append(p.Missing, fmt.Sprintf("%d records are of kinds that this version does not know", n))
	}
	if o.Predictor != nil {
		if p.Prediction, err = predictionText(ctx, &o, judged, p.Names); err != nil {
			return nil, err
		}
	}
	p.Facts = append(environment(in, info, o.Tool), report.Fact{Name: "judged as", Value: p.Summary.Variant},
		report.Fact{Name: "because", Value: strings.Join(p.Summary.Evidence, "; ")})
	for _, name := range judged.Plan.Unattached.Names() {
		p.Missing = append(p.Missing, "the probe for "+name+" was not attached: what it would have seen is not judged")
	}
	return p, nil
}

// environment says where a trace comes from, by what it says of itself or what was redacted
// of that.
func environment(in *tracefile.Recording, info *tracefile.Info, tool string) []report.Fact {
	out := []report.Fact{
		{Name: "kernel", Value: info.Release + " " + info.Arch}, {Name: "build", Value: info.Build},
		{Name: "CPUs", Value: fmt.Sprint(info.CPUs)}, {Name: "page size", Value: fmt.Sprint(info.PageSize)},
		{Name: "recorded", Value: info.Began.UTC().Format(time.RFC3339) + " for " + replay.Length(in).String()},
		{Name: "recorded by", Value: "ext4dio-trace " + info.Tool}, {Name: "reported by", Value: "ext4dio-trace " + tool},
	}
	command := strings.Join(info.Command, " ")
	for _, f := range []report.Fact{{Name: "host", Value: info.Host}, {Name: "command", Value: command}, {Name: "left out", Value: info.Excluded}} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	for _, fs := range info.FileSystems {
		where := fs.Source + " on " + fs.Point
		out = append(out, report.Fact{
			Name:  "ext4 on " + fs.Dev,
			Value: where + ", " + fs.Facts(" "),
		})
	}
	return out
}

// Decisions counts what a change would decide of the writes of a recording, as Predict does,
// without simulating time.
func Decisions(ctx context.Context, in *tracefile.Recording, traced string, to whatif.Change) (whatif.Decisions, error) {
	var c *whatif.Counter
	_, err := replay.Judge(ctx, in, traced, func(*session.Kernel) session.Seen {
		return func(o *observe.Observation, v *judge.Verdict) {
			if c == nil {
				c = whatif.NewChanged(to, v.Variant)
			}
			c.Add(o, string(v.Reason))
		}
	})
	if c == nil || err != nil {
		return whatif.Decisions{}, err
	}
	return c.Decisions(), nil
}
