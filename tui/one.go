package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// labelWidth is the width of the left column of one write.
const labelWidth = 11

// writeSource is a list of which one write is shown, and knows those beside it.
type writeSource interface {
	step(by int)
	write() (Numbered, bool)
}

// oneWrite is everything about one write. The list that it is from goes along to the
// write before and behind.
type oneWrite struct {
	scrolled
	from     writeSource
	row      Numbered
	variants bool // all of them are shown
}

// showOne shows the selected write of a list.
func (m *model) showOne(from writeSource) tea.Cmd {
	if row, ok := from.write(); ok {
		o := &oneWrite{scrolled: scrolled{m: m}, from: from, row: row}
		o.lines = o.draw
		m.push(o)
	}
	return nil
}

func (o *oneWrite) Keys() keys {
	k := &o.m.keys
	left, right := k.sideways("before", "next")
	return keys{
		line: []key.Binding{k.Back, k.Variants, left, right, k.Report, k.Help, k.Quit},
		does: append(o.steps(), []keyed{
			{k.Left, func() tea.Cmd { return o.next(-1) }}, {k.Right, func() tea.Cmd { return o.next(1) }},
			{k.Variants, o.toggleVariants}, {k.Back, o.m.pop}, {k.Open, o.m.pop},
		}...),
	}
}

// next goes to the write before or behind.
func (o *oneWrite) next(by int) tea.Cmd {
	o.from.step(by)
	if row, ok := o.from.write(); ok {
		o.row, o.first = row, 0
	}
	return nil
}

func (o *oneWrite) toggleVariants() tea.Cmd {
	o.variants, o.first = !o.variants, 0
	return nil
}

// draw is everything about the write, wrapped to the width.
func (o *oneWrite) draw() []string {
	d := detail{m: o.m, r: &o.row.Row, width: o.m.width}
	d.add("write", fmt.Sprintf("#%d: %d bytes at %d", o.row.Number, d.r.Len, d.r.Pos), d.m.styles.title)
	if o.variants {
		d.variants()
	}
	d.verdict()
	d.who()
	if !o.variants {
		d.drawing()
	}
	d.outcome()
	if o.variants {
		return d.lines
	}
	d.reasons()
	d.timeline()
	d.lookups()
	d.mappings()
	d.zeroed()
	d.sleeps()
	d.steps()
	d.provenance()
	return d.lines
}

// detail gathers the lines of one write.
type detail struct {
	m     *model
	r     *export.Row
	width int
	lines []string
}

// add appends text behind a label, wrapped.
func (d *detail) add(label, text string, style look) {
	room := max(d.width-labelWidth, 10)
	for i, line := range strings.Split(ansi.Wrap(text, room, " ,"), "\n") {
		if i > 0 {
			label = ""
		}
		d.lines = append(d.lines, d.m.styles.label.Render(fmt.Sprintf("%-*s", labelWidth, label))+style.Render(line))
	}
}

func (d *detail) plain(label, text string) { d.add(label, text, look("")) }

func (d *detail) verdict() {
	r, s := d.r, &d.m.styles
	if !r.Verdict.Known {
		d.add("verdict", "not judged", s.dim)
		return
	}
	text := r.Verdict.V.String()
	if r.Variant != "" {
		text += " with " + r.Variant
	}
	d.add("verdict", text, s.verdict(r.Verdict.V))
}

func (d *detail) who() {
	r := d.r
	file := "inode " + fmt.Sprint(r.Ino)
	if r.Path != "" {
		file = export.Safe(r.Path) + ", " + file
	}
	d.plain("file", file+" on "+export.DevName(r.Dev))
	d.plain("by", fmt.Sprintf("%s, %s, %s", export.Safe(r.Comm), r.Numbers(), r.Caller))
	if r.Mark != "" {
		d.plain("mark", export.SafeMark(r.Mark))
	}
	words := []string{export.YesNo(r.Unaligned, "unaligned", "aligned", "alignment not known"),
		export.YesNo(r.Extending, "extending", "inside i_size", "not known whether extending")}
	words = append(words, r.FlagNames()...)
	d.plain("kind", strings.Join(words, ", "))
}

// outcome draws what was expected beside what was observed.
func (d *detail) outcome() {
	r, s := d.r, &d.m.styles
	e := r.Expected
	want := func(text string) string {
		if !e.Known {
			return ""
		}
		return text
	}
	lock := export.ExpectedLock(e.V)
	d.lines = append(d.lines, s.label.Render(fmt.Sprintf("%-*s", labelWidth, ""))+
		s.dim.Render(strings.TrimRight(fmt.Sprintf("%-14s %s", "observed", want("expected")), " ")))
	d.compare("lock", opt(r.Lock), want(lock.String()))
	d.compare("passes", opt(r.Passes), want(fmt.Sprint(e.V.Passes)))
	d.compare("drained", export.YesNo(r.Drained, "yes", "no", "?"), want(yes(e.V.Drained)))
	switch {
	case export.Is(r.Lock, export.NoLock):
		d.compare("force wait", "-", "")
	case lock == export.NoLock:
		d.compare("force wait", export.YesNo(r.ForceWait, "yes", "no", "?"), "")
	default:
		d.compare("force wait", export.YesNo(r.ForceWait, "yes", "no", "?"), want(yes(e.V.ForceWait)))
	}
	result, wanted := "queued", ""
	if r.Ret.Known {
		result = export.Result(r.Ret.V)
	}
	if e.Known && e.V.Ret != 0 {
		wanted = export.Result(e.V.Ret)
	}
	d.compare("result", result, wanted)
}

// compare draws one line of the comparison, marked where the two differ.
func (d *detail) compare(label, observed, expected string) {
	text, style := fmt.Sprintf("%-14s %s", observed, expected), look("")
	if expected != "" && observed != "?" && observed != expected {
		text, style = text+"  !", d.m.styles.bad
	}
	d.lines = append(d.lines, d.m.styles.label.Render(fmt.Sprintf("%-*s", labelWidth, label))+style.Render(strings.TrimRight(text, " ")))
}

func (d *detail) reasons() {
	r := d.r
	if r.Incomplete != "" {
		d.add("incomplete", export.SafeText(r.Incomplete), d.m.styles.loss)
	}
	if r.Missing != "" {
		d.add("undecided", export.SafeText(r.Missing), d.m.styles.warn)
	}
	if len(r.Rules) > 0 {
		d.add("broken", "rules "+strings.Join(r.Rules, ", "), d.m.styles.bad)
	}
	if len(r.Hazards) > 0 {
		d.add("hazard", "rules "+strings.Join(r.Hazards, ", ")+", which this kernel does not promise", d.m.styles.bad)
	}
	d.each("why", len(r.Why), func(i int) string {
		if i == 0 && len(r.Reasons) > 1 {
			return export.SafeText(strings.Join(r.Reasons, " + "))
		}
		return export.SafeText(r.Why[i])
	})
}

// each adds a line for each of n things, the first one behind the label.
func (d *detail) each(label string, n int, text func(i int) string) {
	for i := range n {
		d.plain(label, text(i))
		label = ""
	}
}

// list is each, and says so when there is none or when that is not known.
func (d *detail) list(label string, n int, part uint8, text func(i int) string) {
	switch {
	case n > 0:
		d.each(label, n, text)
	case d.r.ListsKnown && !d.r.Lacks(part):
		d.plain(label, "none")
	default:
		d.plain(label, "not known")
	}
}

func (d *detail) lookups() {
	d.list("lookups", len(d.r.Lookups), record.CutChecks, func(i int) string {
		l := d.r.Lookups[i]
		return fmt.Sprintf("pass %d: block %d, %s → %s", l.Pass+1, l.Lblk, export.Plural(uint64(l.Len), "block"), found(l))
	})
}

func (d *detail) mappings() {
	more := d.r.MoreMappings()
	n := len(d.r.Mappings)
	if more != "" {
		n++
	}
	d.list("mappings", n, record.CutMaps, func(i int) string {
		switch {
		case more == "":
		case i == n-2:
			return "… " + more
		case i == n-1:
			i--
		}
		mp := &d.r.Mappings[i]
		text := export.Result(int64(mp.Err))
		if mp.Err == 0 {
			words := append([]string{export.IomapType(mp.Type)}, export.IomapFlags(mp.Flags)...)
			text = fmt.Sprintf("%d bytes at %d: %s", mp.Length, mp.Offset, strings.Join(words, ", "))
		}
		if mp.Allocated() {
			text += ", allocated"
		}
		return text
	})
}

func (d *detail) zeroed() {
	d.list("zeroed", len(d.r.Zeroed), record.CutZeroed, func(i int) string {
		return fmt.Sprintf("%d bytes at %d", d.r.Zeroed[i].Len, d.r.Zeroed[i].Pos)
	})
	if n := d.r.FallbackBytes.V; n > 0 {
		d.plain("buffered", fmt.Sprintf("%d bytes fell back to buffered I/O", n))
	}
}

func (d *detail) sleeps() {
	if d.r.Slept.Known && !d.r.Slept.V {
		d.plain("slept", "did not sleep, as NOWAIT asks")
	}
	d.each("slept", len(d.r.Sleeps), func(i int) string {
		s := &d.r.Sleeps[i]
		if s.More > 0 {
			return s.String()
		}
		return fmt.Sprintf("%s for %s in the %s phase, although NOWAIT", export.Duration(s.Ns), s.Cause, s.PhaseName())
	})
}

func (d *detail) provenance() {
	d.add("stages", strings.Join(d.r.Stages.Names(), " "), d.m.styles.dim)
	if d.r.Truncated {
		d.add("", "steps did not fit in the record: "+strings.Join(d.r.Unseen(), ", "), d.m.styles.warn)
	}
}

func found(l export.Lookup) string {
	if l.Ret <= 0 {
		if l.Ret < 0 {
			return export.Result(int64(l.Ret))
		}
		return l.State.String()
	}
	return export.Plural(uint64(l.Ret), "block") + " " + l.State.String()
}

func yes(b bool) string { return export.YesNo(export.Some(b), "yes", "no", "") }

func opt[T any](o export.Opt[T]) string {
	if !o.Known {
		return "?"
	}
	return fmt.Sprint(o.V)
}

func duration(ns export.Opt[uint64]) string {
	if !ns.Known {
		return "not known"
	}
	return export.Duration(ns.V)
}
