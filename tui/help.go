package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// legend explains what is not a word.
var legend = []string{
	"W/S      writes a second, over the last second; of a recording over all of it",
	"EXCL%    of the writes held i_rwsem exclusive at iomap_dio_rw; EXCLUSIVE BY says why, in parts of all writes",
	"WAIT%    of the time in the write function was spent waiting for i_rwsem; P50, P99, MAX: waits of single writes, at most a quarter too large",
	"RESTART  ran the checks again with the exclusive lock; ZEROED: bytes zeroed around writes; EAGAIN: NOWAIT writes that got it, and where",
	"DISAGR   the kernel did something else than the reference model says; UNDEC: what was seen does not decide it",
	"LOOKUPS  block,blocks=found and what: W written, U unwritten, H hole, D delayed, E error; | parts passes",
	"PASS     runs of the checks under i_rwsem; 2: restarted with the exclusive lock",
	"LOCK     i_rwsem at iomap_dio_rw; none: the write never got there",
	"FW       IOMAP_DIO_FORCE_WAIT; DRAIN: waited for direct I/O in flight; -: no; ?: not known",
	"filter   lock=exclusive verdict!=agree pos>1m len>=64k wait>5ms comm~mysqld file~ibd reason~zeroing nowait; a bare word: in names and reasons",
}

// helpText is the help screen: the bindings in columns, and then what the tables mean.
func (m *model) helpText() []string {
	var bindings []key.Binding
	for _, b := range m.keys.full() {
		if b.Enabled() {
			bindings = append(bindings, b)
		}
	}
	const keyWidth, width = 7, 26
	columns := min(max(m.width/width, 1), 4)
	perColumn := (len(bindings) + columns - 1) / columns
	var lines []string
	for i := range perColumn {
		var b strings.Builder
		for j := i; j < len(bindings); j += perColumn {
			h := bindings[j].Help()
			b.WriteString(m.styles.bold.Render(align(h.Key, keyWidth)) + " " + align(h.Desc, width-keyWidth-1))
		}
		lines = append(lines, b.String())
	}
	lines = append(lines, "")
	for _, l := range legend {
		for i, part := range strings.Split(ansi.Wrap(l[9:], max(m.width-9, 20), " "), "\n") {
			label := l[:9]
			if i > 0 {
				label = strings.Repeat(" ", 9)
			}
			lines = append(lines, m.styles.label.Render(label)+part)
		}
	}
	return lines
}

// probeLines is the plan of the probes, what is missing, and on what the variant rests.
func (m *model) probeLines() []string {
	s := &m.styles
	d := detail{m: m, width: m.width}
	d.plain("kernel", "Linux "+export.Safe(m.opts.Kernel))
	d.plain("variant", m.summary.Variant)
	for i, e := range m.summary.Evidence {
		d.plain(map[bool]string{true: "because"}[i == 0], export.SafeText(e))
	}
	l := &m.summary.Losses
	lost := look("")
	if l.Any() {
		lost = s.loss
	}
	d.add("lost", l.String(), lost)
	d.plain("records", fmt.Sprintf("%d writes entered, %d judged, %d filtered out, %d bytes from the kernel", l.Seen, m.summary.Totals.Writes, l.Filtered, l.Bytes))
	if m.cpu >= 0 {
		d.plain("itself", fmt.Sprintf("%s of one CPU, at most %sB of memory so far", percentOf(m.cpu), export.Bytes(int64(m.memory))))
	}
	d.lines = append(d.lines, "")
	d.probes(m.opts.Probes)
	return d.lines
}

// probes is the table of the probes: how each is attached, how often the kernel skipped
// it, and what it tells.
func (d *detail) probes(all []Probe) {
	const function, by, skipped = 27, 15, 7
	m, s, name := d.m, &d.m.styles, 0
	if d.width >= 100 {
		name = 14
	}
	wide := d.width >= 76
	row := func(a, b, c, e string) string {
		return fmt.Sprintf("%-*.*s%-*s%-*s%*s  ", name, name, a, function, b, by, c, skipped, e)
	}
	if wide {
		d.raw([]string{row("PROBE", "FUNCTION", "ATTACHED BY", "SKIPPED") + "TELLS"}, s.title)
	}
	for _, p := range all {
		how, tells, style := p.How, p.Tells, look("")
		missed := "?"
		if n, ok := m.missed[p.Func]; ok {
			missed = fmt.Sprint(n)
		}
		if how == "" {
			how, missed, tells, style = "NO", "-", "not known: "+p.Tells+" ("+p.Why+")", s.warn
		}
		if !wide {
			d.raw([]string{p.Func + "  " + how}, style)
			continue
		}
		head := row(p.Name, p.Func, how, missed)
		for _, line := range strings.Split(ansi.Wrap(tells, max(d.width-len(head), 10), " "), "\n") {
			d.raw([]string{head + line}, style)
			head = strings.Repeat(" ", len(head))
		}
	}
}
