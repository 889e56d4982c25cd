package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// legend explains what is not a word.
var legend = []string{
	"W/S      writes a second, over the last second; of a recording over all of it",
	"EXCL%    of the writes held i_rwsem exclusive at iomap_dio_rw; EXCLUSIVE BY says why, in parts of all writes",
	"WAIT%    of the time in the write function was spent waiting for i_rwsem; P50, P99, MAX: waits of single writes, at most a quarter too large",
	"RESTART  ran the checks again with the exclusive lock; ZEROED: bytes zeroed around writes; EAGAIN: NOWAIT writes that got it, and where",
	"DISAGR   the kernel did something else than the reference model says; UNDEC: what was seen does not decide it",
	"HOLDER   had i_rwsem while others waited for it; behind: stood before in the queue; 3 readers: at most so many had it together; woken after: it had let go; not known: none that was seen",
	"time     of one write: e entry, 1 2 passes of the checks, W wait for i_rwsem, m mappings, I I/O, b buffered",
	"LOOKUPS  block,blocks=found and what: W written, U unwritten, H hole, D delayed, E error; | parts passes",
	"PASS     runs of the checks under i_rwsem; 2: restarted with the exclusive lock",
	"LOCK     i_rwsem at iomap_dio_rw; none: the write never got there",
	"FW       IOMAP_DIO_FORCE_WAIT; DRAIN: waited for direct I/O in flight; -: no; ?: not known",
	"filter   lock=exclusive verdict!=agree pos>1m len>=64k wait>5ms comm~mysqld file~ibd reason~zeroing nowait; a bare word: in names and reasons",
}

// help is what the keys do, and what the tables mean.
type help struct{ scrolled }

// showHelp shows the help over what is shown.
func (m *model) showHelp() tea.Cmd {
	m.push(&help{scrolled{m: m, lines: m.helpText}})
	return nil
}

func (h *help) Keys() keys {
	k := &h.m.keys
	return keys{
		line: []key.Binding{k.Back, k.Up, k.Down, k.Quit},
		does: append(h.steps(), keyed{k.Back, h.m.pop}, keyed{k.Open, h.m.pop}, keyed{k.Help, h.m.pop}),
	}
}

// helpText is the bindings in columns, and then the legend.
func (m *model) helpText() []string {
	var bindings []key.Binding
	for _, b := range m.keys.all {
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
