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
	for _, v := range ref.Variants() {
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
		out.why += " (" + d.End.String() + ")"
	}
	return out
}

// moment is something that happened within a write.
type moment struct {
	us   uint64 // since its entry
	what string
}

// moments lists what is known of the course of a write, in order.
func (d *detail) moments() []moment {
	r := d.r
	out := []moment{{0, "entered"}}
	for _, w := range r.Waits {
		out = append(out, moment{uint64(w.AtUs), "had waited " + export.Duration(w.Ns) + " for i_rwsem " + modeName(w.Lock)})
	}
	for i := range r.Facts.Checks {
		c := &r.Facts.Checks[i]
		text := "write checks, " + modeName(c.Lock)
		if i > 0 {
			text = "restarted: write checks, " + modeName(c.Lock)
		}
		out = append(out, moment{uint64(c.AtUs), text})
	}
	for i := range r.Mappings {
		mp := &r.Mappings[i]
		text := "iomap: " + export.IomapType(mp.Type)
		if mp.Err != 0 {
			text = "iomap failed: " + export.Result(int64(mp.Err))
		}
		out = append(out, moment{uint64(mp.AtUs), text})
	}
	for i := range r.Summed {
		s := &r.Summed[i]
		out = append(out, moment{uint64(s.AtUs), fmt.Sprintf("iomap: the last of %d more %s", s.Count, export.IomapType(s.Type))})
	}
	for _, z := range r.Zeroed {
		out = append(out, moment{uint64(z.AtUs), fmt.Sprintf("zeroed %d bytes", z.Len)})
	}
	for i := range r.Sleeps {
		if s := &r.Sleeps[i]; s.More == 0 {
			out = append(out, moment{uint64(s.AtUs), "had slept " + export.Duration(s.Ns) + " for " + s.Cause.String()})
		}
	}
	if b := r.Facts.Buffered; b.Known && b.V.Copied {
		out = append(out, moment{uint64(b.V.CopyAtUs), "copied to the page cache"})
	}
	slices.SortStableFunc(out, func(a, b moment) int { return int(a.us) - int(b.us) })
	if r.SubmitNs > 0 {
		text := "returned " + export.Result(r.Facts.SubmitRet)
		switch {
		case r.Facts.Queued:
			text = "returned: queued, i_rwsem released"
		case r.Inside.Known:
			text = "has not returned: " + r.Inside.V.Words()
		}
		out = append(out, moment{r.SubmitNs / 1000, text})
	}
	if r.Facts.Queued && r.LatencyNs.Known {
		out = append(out, moment{r.LatencyNs.V / 1000, "completed: " + export.Result(r.Ret.V)})
	}
	return out
}

func modeName(l record.Lock) string {
	return cmp.Or(export.ModeName(l), "(mode not known)")
}

// Widths of the course of a write.
const (
	atWidth     = 9
	momentWidth = 38
	leastBar    = 8
)

// timeline draws the course of the write to scale, with the times since its entry.
func (d *detail) timeline() {
	all := d.moments()
	end := uint64(1)
	for _, mo := range all {
		end = max(end, mo.us)
	}
	width := min(max(d.width-labelWidth-atWidth-momentWidth, 0), 30)
	if width < leastBar {
		width = 0
	}
	d.plain("time", "wait for i_rwsem "+duration(d.r.WaitNs)+", latency "+duration(d.r.LatencyNs))
	for _, mo := range all {
		at := fmt.Sprintf("%*s ", atWidth-1, export.Duration(mo.us*1000))
		bar := ""
		if width > 0 {
			n := int(mo.us * uint64(width-1) / end)
			bar = strings.Repeat("─", n) + "┤" + strings.Repeat(" ", width-n)
		}
		indent := strings.Repeat(" ", min(labelWidth, max(d.width-atWidth-momentWidth, 0)))
		d.raw([]string{indent + d.m.styles.dim.Render(at+bar) + mo.what}, "")
	}
}

// waitedFor lists who held i_rwsem while the write waited for it.
func (d *detail) waitedFor() {
	lines := export.WaitedFor(d.r.Waits, d.r.WaitNs.V)
	d.each("waited for", len(lines), func(i int) string { return lines[i] })
}
