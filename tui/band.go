package tui

import (
	"cmp"
	"fmt"
	"math/bits"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// part is a piece of a line.
type part struct {
	text  string
	style look
}

// joinParts puts those parts side by side that fit.
func (m *model) joinParts(parts ...part) string {
	var b strings.Builder
	used := 0
	for _, p := range parts {
		if p.text == "" {
			continue
		}
		w := ansi.StringWidth(p.text)
		if used > 0 && used+2+w > m.width {
			continue
		}
		if used > 0 {
			b.WriteString("  ")
			used += 2
		}
		b.WriteString(p.style.Render(p.text))
		used += w
	}
	return b.String()
}

// lossLine says what is known to be missing, "" when nothing is.
func (m *model) lossLine() string {
	var text []string
	if m.now.Missing != "" {
		text = append(text, "MISSING: "+export.SafeText(m.now.Missing))
	}
	if m.now.Summary.Losses.Any() {
		text = append(text, "LOST: "+m.now.Summary.Losses.String())
	}
	if n := m.now.Summary.Totals.Incomplete; n > 0 {
		text = append(text, fmt.Sprintf("INCOMPLETE: %d not judged", n))
	}
	return strings.Join(text, "; ")
}

// lossLines draws that, in two lines when there is room and need.
func (m *model) lossLines() []string {
	text := m.lossLine()
	if text == "" {
		return nil
	}
	lines := []string{text}
	if m.height >= roomForVerdict {
		if lines = strings.Split(ansi.Wrap(text, m.width, " "), "\n"); len(lines) > 2 {
			lines = []string{lines[0], strings.Join(lines[1:], " ")}
		}
	}
	for i, l := range lines {
		lines[i] = m.styles.loss.Render(l)
	}
	return lines
}

// kernelLine says what is traced and how.
func (m *model) kernelLine() string {
	s := &m.styles
	variant := cmp.Or(m.now.Summary.Variant, "variant not known yet")
	probes := fmt.Sprintf("%d probes (%s)", m.opts.Attached, m.opts.Mode)
	missing := ""
	if n := len(m.opts.Missing); n > 0 {
		missing = fmt.Sprintf("%d not attached", n)
	}
	cpu := ""
	if m.now.CPU >= 0 {
		cpu = fmt.Sprintf("own CPU %s", percentOf(m.now.CPU))
	}
	return m.joinParts(
		m.statePart(), part{"Linux " + export.Safe(m.opts.Kernel), s.title}, part{variant, s.label}, part{missing, s.warn},
		part{export.Duration(uint64(m.now.Summary.Elapsed)), s.dim}, part{cpu, s.dim}, part{probes, s.dim})
}

// statePart says what is not as usual.
func (m *model) statePart() part {
	text := ""
	switch {
	case m.now.Ended && !m.opts.Recording:
		text = "ENDED"
	case m.paused:
		text = "PAUSED"
	case m.opts.Recording && !m.now.Ended:
		text = "READING"
	}
	if m.now.Recording {
		text = strings.TrimSpace(text + " REC")
	}
	if n := m.now.Summary.Sample.OneIn; n > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s SAMPLE 1/%d", text, n))
	}
	return part{text, m.styles.warn}
}

// lockLine is the answer to whether writers are serialised, and why.
func (m *model) lockLine() string {
	s, t := &m.styles, &m.now.Summary.Totals
	now := m.span()
	if t.Writes == 0 {
		return s.dim.Render("i_rwsem: no direct write yet")
	}
	if now.writes == 0 {
		return m.joinParts(part{"i_rwsem: no direct write now", s.dim},
			part{fmt.Sprintf("%s before, %s exclusive", export.Amount(float64(t.Writes)), percentOf(ratio(t.Exclusive, t.Writes))), s.dim})
	}
	all := tally.Counts{Part: t.Part}
	for i := range m.now.Picture.Reasons {
		for k, n := range m.now.Picture.Reasons[i].By {
			all.By[k] += n
		}
	}
	rate := part{export.Amount(now.perSecond(now.writes)) + " writes/s", s.bold}
	exclusive, waiting := ratio(now.exclusive, now.writes), ratio(now.waitNs, now.timeNs)
	mode := part{fmt.Sprintf("i_rwsem %s shared", percentOf(ratio(now.shared, now.writes))), s.good}
	if exclusive >= 0.5 {
		mode = part{fmt.Sprintf("i_rwsem %s EXCLUSIVE", percentOf(exclusive)), s.warn}
	}
	wait := part{"waiting " + percentOf(waiting) + " of the time", waitLook(s, waiting)}
	const gaps = len("  " + "  " + "  by ")
	room := m.width - len(mode.text) - len(rate.text) - len(wait.text) - gaps
	why := classText(&all, room)
	if why != "" {
		why = "by " + why
	}
	return m.joinParts(mode, rate, wait, part{why, s.warn})
}

// verdictLine says whether the kernel decides as the model does.
func (m *model) verdictLine() string {
	s, t := &m.styles, &m.now.Summary.Totals
	var parts []part
	for _, k := range []judge.Kind{judge.Unsafe, judge.Differs, judge.Slower} {
		if n := t.Verdicts[k]; n > 0 {
			parts = append(parts, part{fmt.Sprintf("%s %d", strings.ToUpper(k.String()), n), s.verdict(k)})
		}
	}
	parts = append(parts, part{fmt.Sprintf("agree %d (%s)", t.Verdicts[judge.Agree], percentOf(ratio(t.Verdicts[judge.Agree], t.Writes))), s.good},
		part{fmt.Sprintf("undecided %d", t.Verdicts[judge.Undecided]), s.dim})
	if t.Disagreements() == 0 {
		parts = append(parts, part{"no disagreement", s.dim})
	}
	parts = append(parts, part{m.refusedText(), s.warn}, part{count(t.Failed, "failed"), s.bad})
	parts = append(parts, part{count(t.Restarted, "restarted"), ""}, part{count(t.Drained, "drained"), ""}, part{count(t.NoDIO, "no direct I/O"), s.dim})
	return m.joinParts(parts...)
}

// refusedText says how many tries NOWAIT has ended, "" for none.
func (m *model) refusedText() string {
	n, q := m.now.Summary.Totals.Refused, &m.now.Summary.Requests
	if n == 0 || q.Retried == 0 {
		return count(n, "refused")
	}
	return fmt.Sprintf("refused %d (%d retried)", n, q.Retried)
}

func count(n uint64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d", what, n)
}

// Widths of what stands beside the graphs.
const (
	bandLabel = 10
	bandRate  = 8
	leastBand = 28 // cells of a graph
)

// bandLines draws the writes a second by lock mode over time, in graphs of height lines,
// and the distribution of the waits beside them.
func (m *model) bandLines(height int) []string {
	width := m.width - bandLabel - bandRate
	waits := waitGraph{tally.NumOctaves, 2}
	if width-waits.cells() < leastBand {
		waits = waitGraph{tally.NumOctaves / 2, 1}
	}
	if width-waits.cells() < leastBand {
		waits = waitGraph{}
	}
	width -= waits.cells()
	shared, exclusive := m.spans(width)
	most := uint64(1)
	for i := range shared {
		most = max(most, shared[i], exclusive[i])
	}
	now := m.span()
	lines := m.modeLines("shared", m.styles.good, bars(shared, most, height), now.perSecond(now.shared), waits.lines(&m.now.Picture.Shared, height))
	lines = append(lines, m.modeLines("exclusive", m.styles.warn, bars(exclusive, most, height), now.perSecond(now.exclusive), waits.lines(&m.now.Picture.Exclusive, height))...)
	if height == 1 {
		return lines
	}
	column := m.now.Picture.Series.Width
	caption := fmt.Sprintf("%-*s%-*s", bandLabel, "", width+bandRate, export.Duration(column)+" a column, "+export.Amount(float64(most)/(float64(column)/1e9))+" writes/s at the top")
	return append(lines, m.styles.dim.Render(caption+waits.caption()))
}

// modeLines puts the graphs of one lock mode together.
func (m *model) modeLines(name string, style look, graph []string, rate float64, waits []string) []string {
	var lines []string
	for i := range graph {
		label, amount := "", ""
		if i == len(graph)-1 {
			label, amount = name, export.Amount(rate)+"/s"
		}
		line := style.Render(fmt.Sprintf("%-*s", bandLabel, label)+graph[i]) + fmt.Sprintf("%*s", bandRate, amount)
		if waits != nil {
			line += m.styles.label.Render(waits[i])
		}
		lines = append(lines, line)
	}
	return lines
}

// waitGraph is the distribution of the waits for one lock mode, with more or less room.
type waitGraph struct {
	width     int // cells of the graph; 0: none is drawn
	quantiles int // that stand beside it: p99, and p50 before it
}

const (
	waitLabel = "  wait "
	quantile  = 11 // cells of one with its name
)

func (g waitGraph) cells() int {
	if g.width == 0 {
		return 0
	}
	return len(waitLabel) + g.width + g.quantiles*quantile
}

// lines draws the graph in height lines.
func (g waitGraph) lines(w *tally.Waits, height int) []string {
	if g.width == 0 {
		return nil
	}
	bins := make([]uint64, g.width)
	for i, n := range w.Octaves {
		bins[min(i*g.width/len(w.Octaves), g.width-1)] += n
	}
	out := logBars(bins, height)
	for i := range out {
		if i < height-1 {
			out[i] = strings.Repeat(" ", len(waitLabel)) + out[i]
			continue
		}
		out[i] = waitLabel + out[i]
		if g.quantiles > 1 {
			out[i] += fmt.Sprintf(" p50 %-6s", export.Duration(w.P50))
		}
		out[i] += fmt.Sprintf(" p99 %-6s", export.Duration(w.P99))
	}
	return out
}

func (g waitGraph) caption() string {
	if g.width == 0 {
		return ""
	}
	return fmt.Sprintf("%*s%-*s%s", len(waitLabel), "", g.width-3, "<1us", ">1s")
}

// spans are the newest width spans of the series, or all of it pressed into width.
func (m *model) spans(width int) (shared, exclusive []uint64) {
	shared, exclusive = make([]uint64, max(width, 0)), make([]uint64, max(width, 0))
	spans := m.now.Picture.Series.Spans
	if width <= 0 || len(spans) == 0 {
		return shared, exclusive
	}
	if m.opts.Recording {
		for i := range shared { // the most of what falls into a column, so that no peak is lost
			from, to := i*len(spans)/width, max((i+1)*len(spans)/width, i*len(spans)/width+1)
			for _, s := range spans[from:min(to, len(spans))] {
				shared[i], exclusive[i] = max(shared[i], uint64(s.Shared)), max(exclusive[i], uint64(s.Exclusive))
			}
		}
		return shared, exclusive
	}
	spans = spans[max(len(spans)-width, 0):]
	for i, s := range spans {
		at := width - len(spans) + i
		shared[at], exclusive[at] = uint64(s.Shared), uint64(s.Exclusive)
	}
	return shared, exclusive
}

// logBars draws counts by their binary magnitude, as few waits matter beside many.
func logBars(values []uint64, height int) []string {
	magnitudes, most := make([]uint64, len(values)), uint64(1)
	for i, n := range values {
		magnitudes[i] = uint64(bits.Len64(n))
		most = max(most, magnitudes[i])
	}
	return bars(magnitudes, most, height)
}

var eighths = []rune(" ▁▂▃▄▅▆▇█")

// bars draws values as bars of height lines, the highest line first. What is not 0 is
// seen, however small it is.
func bars(values []uint64, most uint64, height int) []string {
	lines := make([]string, height)
	for row := range height {
		var b strings.Builder
		below := uint64(height-1-row) * 8 // eighths that are in the lines below
		for _, v := range values {
			n := (v*uint64(height)*8 + most - 1) / most
			b.WriteRune(eighths[min(n-min(n, below), 8)])
		}
		lines[row] = b.String()
	}
	return lines
}
