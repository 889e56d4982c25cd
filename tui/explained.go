package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	ref "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// raw adds lines as they are, cut to the width.
func (d *detail) raw(lines []string, style look) {
	for _, l := range lines {
		d.lines = append(d.lines, style.Render(ansi.Truncate(l, d.width, "…")))
	}
}

// judged reports whether there is a decision to show, and of which variant.
func (d *detail) judged() (ref.Variant, bool) {
	v, err := ref.ParseVariant(d.r.Variant)
	return v, err == nil && d.r.Incomplete == ""
}

// drawing draws the blocks with what was found in them and what was zeroed.
func (d *detail) drawing() {
	ob := explain.Observed{Write: d.r.Observation()}
	if lines := ob.Drawing(d.width); lines != nil {
		d.raw(append([]string{""}, lines...), "")
		d.raw([]string{""}, "")
	}
}

// steps is the decision step by step.
func (d *detail) steps() {
	v, ok := d.judged()
	if !ok {
		return
	}
	ob := explain.Observed{Write: d.r.Observation(), Variants: []ref.Variant{v}}
	lines := ob.Steps()
	d.raw([]string{"", lines[0]}, d.m.styles.title)
	d.raw(lines[1:], "")
	d.raw([]string{""}, "")
}

// variants shows side by side what each variant of the kernel would do with the write.
// Those that would do the same share a line.
func (d *detail) variants() {
	if _, ok := d.judged(); !ok {
		d.raw([]string{"", "it is not known what other variants would do: the record is not whole", ""}, d.m.styles.warn)
		return
	}
	o := d.r.Observation()
	type line struct {
		outcome
		names string
		own   bool // the variant that was traced is among them
	}
	var lines []line
	for _, v := range ref.Distinct() {
		decision, verdict := judge.Decide(o, v)
		out := outcomeOf(decision, verdict.Kind)
		i := slices.IndexFunc(lines, func(l line) bool { return l.outcome == out })
		if i < 0 {
			i = len(lines)
			lines = append(lines, line{outcome: out, names: v.String()})
		} else {
			lines[i].names += ", " + v.String()
		}
		lines[i].own = lines[i].own || v.String() == d.r.Variant
	}
	d.raw([]string{"what each variant would do with it, and what that says of what was seen"}, d.m.styles.title)
	d.raw([]string{fmt.Sprintf("%-2s%-10s%-7s%-6s%-6s%-10s %s", "", "LOCK", "PASSES", "DRAIN", "WAIT", "VERDICT", "WHY")}, d.m.styles.title)
	for _, l := range lines {
		mark := "  "
		if l.own {
			mark = "> "
		}
		verdict := d.m.styles.verdict(l.verdict).Render(fmt.Sprintf("%-10s", l.verdict))
		d.raw([]string{fmt.Sprintf("%s%-10s%-7d%-6s%-6s%s %s", mark, l.lock, l.passes, l.drain, l.wait, verdict, l.why)}, "")
		for _, names := range strings.Split(ansi.Wrap(l.names, max(d.width-4, 8), " ,"), "\n") {
			d.raw([]string{"    " + names}, d.m.styles.label)
		}
	}
	d.raw([]string{""}, "")
}

// outcome is what a variant would do with a write and what that says of what was seen, in
// columns.
type outcome struct {
	lock        string
	passes      int
	drain, wait string
	verdict     judge.Kind
	why         string
}

func outcomeOf(d *ref.Decision, verdict judge.Kind) outcome {
	out := outcome{lock: ref.Unlocked.String(), passes: d.Passes, verdict: verdict, why: string(d.Reason)}
	switch d.End {
	case ref.EndDio:
		out.lock, out.drain, out.wait = d.Mode.String(), d.Drain.String(), d.ForceWait.String()
	case ref.EndUnknown:
		out.lock, out.why = "?", "not decided: "+d.Missing
	default:
		out.why += " (" + d.End.Text() + ")"
	}
	return out
}

func modeName(l record.Lock) string {
	return cmp.Or(export.ModeName(l), "(mode not known)")
}
