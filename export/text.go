package export

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Text writes rows as lines of fixed columns, one line a write, and a second,
// indented one where the kernel and the model disagree.
type Text struct {
	Start uint64 // TimeNs that is shown as 0, ns of CLOCK_MONOTONIC
	Color bool   // with ANSI colours
}

// column is one column of a line; a negative width is filled on the left.
type column struct {
	title string
	width int
	cell  func(dst []byte, r *Row) []byte
}

// Tone is how a cell is meant to be seen. Every meaning is in the words too.
type Tone uint8

// Tones.
const (
	Plain Tone = iota
	Dim
	Good
	Warn
	Odd
	Bad
)

// colors are the ANSI colours of the tones.
var colors = [...]string{Plain: "", Dim: "\x1b[2m", Good: "\x1b[32m", Warn: "\x1b[33m", Odd: "\x1b[35m", Bad: "\x1b[1;31m"}

const colorReset = "\x1b[0m"

// VerdictTone is the tone of a verdict.
func VerdictTone(k judge.Kind) Tone {
	return [...]Tone{judge.Undecided: Dim, judge.Agree: Good, judge.Slower: Warn, judge.Differs: Odd, judge.Unsafe: Bad}[k]
}

// Col is a column that a line of text and the screen have in common.
type Col uint8

// Columns in the order of a line.
const (
	ColPid Col = iota
	ColComm
	ColFile
	ColPos
	ColLen
	ColLock
	ColPasses
	ColLookups
	ColDrain
	ColForceWait
	ColZeroed
	ColRet
	ColWait
	ColLatency
	ColVerdict
)

// columns after SEQ and TIME, and before WHY, which is as long as it needs.
var columns = [...]column{
	ColPid:       {"PID", -7, func(d []byte, r *Row) []byte { return appendPid(d, r.Pid, r.Foreign.V) }},
	ColComm:      {"COMM", 15, func(d []byte, r *Row) []byte { return safe.Append(d, r.Comm) }},
	ColFile:      {"FILE", 16, appendFile},
	ColPos:       {"POS", -14, func(d []byte, r *Row) []byte { return strconv.AppendInt(d, r.Pos, 10) }},
	ColLen:       {"LEN", -8, func(d []byte, r *Row) []byte { return strconv.AppendInt(d, r.Len, 10) }},
	ColLock:      {"LOCK", 9, func(d []byte, r *Row) []byte { return appendName(d, r.Lock, "?") }},
	ColPasses:    {"PASS", -4, func(d []byte, r *Row) []byte { return appendOr(d, r.Passes) }},
	ColLookups:   {"LOOKUPS", lookupsWidth, func(d []byte, r *Row) []byte { return r.AppendLookups(d, lookupsWidth) }},
	ColDrain:     {"DRAIN", 5, func(d []byte, r *Row) []byte { return appendYes(d, r.Drained) }},
	ColForceWait: {"FW", 3, appendForceWait},
	ColZeroed:    {"ZEROED", -6, func(d []byte, r *Row) []byte { return appendCount(d, r.ZeroedBytes()) }},
	ColRet:       {"RET", -8, appendRet},
	ColWait:      {"WAIT", -6, func(d []byte, r *Row) []byte { return appendTime(d, r.WaitNs) }},
	ColLatency:   {"LAT", -6, func(d []byte, r *Row) []byte { return appendTime(d, r.LatencyNs) }},
	ColVerdict:   {"VERDICT", 9, func(d []byte, r *Row) []byte { return appendName(d, r.Verdict, "-") }},
}

const lookupsWidth = 18

// Width is the number of cells of a column in a line; negative when it is
// filled on the left.
func (c Col) Width() int { return columns[c].width }

// Tone is the tone of what r has in the column.
func (c Col) Tone(r *Row) Tone {
	switch {
	case c == ColLock && Is(r.Lock, Exclusive), c == ColPasses && r.Passes.V > 1:
		return Warn
	case c == ColVerdict && r.Verdict.Known:
		return VerdictTone(r.Verdict.V)
	}
	return Plain
}

// Title is the head of the column, fitted to width as Cell does it.
func (c Col) Title(width int) string { return string(fit([]byte(columns[c].title), 0, width)) }

// Cell is what r has in the column, safe for a terminal and fitted to width
// cells, from the left when it is negative.
// A number that does not fit is shown in binary units instead of cut.
func (c Col) Cell(r *Row, width int) string {
	cell := columns[c].cell(nil, r)
	if width < 0 && len(cell) > -width {
		switch c {
		case ColPos:
			cell = appendBinary(cell[:0], r.Pos)
		case ColLen:
			cell = appendBinary(cell[:0], r.Len)
		}
	}
	return string(fit(cell, 0, width))
}

// Since writes the seconds from start to ns, both in ns.
func Since(ns, start uint64) string { return string(appendSince(nil, ns, start)) }

const timeWidth, seqWidth = 11, 7

// AppendHeader appends the titles of the columns.
func (t *Text) AppendHeader(dst []byte) []byte {
	dst = append(fit(append(dst, "SEQ"...), len(dst), -seqWidth), ' ')
	dst = fit(append(dst, "TIME"...), len(dst), -timeWidth)
	for i := range columns {
		dst = append(dst, ' ')
		dst = fit(append(dst, columns[i].title...), len(dst), columns[i].width)
	}
	return append(dst, " WHY\n"...)
}

// Append appends the line of r.
func (t *Text) Append(dst []byte, r *Row) []byte {
	dst = appendSeq(dst, r.Seq)
	dst = fit(appendSince(dst, r.TimeNs, t.Start), len(dst), -timeWidth)
	for i := range columns {
		c := &columns[i]
		dst = append(dst, ' ')
		color := ""
		if t.Color {
			color = colors[Col(i).Tone(r)]
		}
		dst = append(dst, color...)
		dst = fit(c.cell(dst, r), len(dst), c.width)
		if color != "" {
			dst = append(dst, colorReset...)
		}
	}
	dst = append(dst, ' ')
	dst = safe.Append(dst, r.ReasonLine())
	dst = append(r.appendWaits(dst), '\n')
	if !r.Disagrees() {
		return dst
	}
	if t.Color {
		dst = append(dst, colors[VerdictTone(r.Verdict.V)]...)
	}
	dst = r.appendDisagreement(append(dst, "    "...))
	if t.Color {
		dst = append(dst, colorReset...)
	}
	return append(dst, '\n')
}

// appendSeq appends the number of a write, which is never cut, as it is asked for by that.
func appendSeq(dst []byte, seq Opt[uint64]) []byte {
	start := len(dst)
	if dst = append(dst, '?'); seq.Known {
		dst = strconv.AppendUint(dst[:start], seq.V, 10)
	}
	if len(dst)-start < seqWidth {
		dst = fit(dst, start, -seqWidth)
	}
	return append(dst, ' ')
}

// appendWaits appends what a NOWAIT write slept for and should not have, or may
// not have. What every kernel's NOWAIT writes sleep for, such as their own I/O, is
// left to the other forms.
func (r *Row) appendWaits(dst []byte) []byte {
	for i := range r.Sleeps {
		switch s := &r.Sleeps[i]; {
		case s.More > 0 && (s.Cause.Ext4() || s.Cause == record.SleepUnknown):
			dst = append(append(dst, "; "...), s.String()...)
		case s.Cause.Ext4():
			dst = append(appendDuration(append(dst, "; slept "...), s.Ns), " for "...)
			dst = append(dst, s.Cause.String()...)
		case s.Cause == record.SleepUnknown:
			dst = append(appendDuration(append(dst, "; slept "...), s.Ns), ", it is not known for what"...)
		}
	}
	return dst
}

// appendDisagreement appends what was expected and what was seen, the broken
// rules, and the sentences that explain the difference.
func (r *Row) appendDisagreement(dst []byte) []byte {
	if r.Expected.Known {
		dst = append(append(dst, "expected: "...), r.ExpectedText()...)
		dst = append(dst, " | "...)
	}
	dst = append(append(dst, "observed: "...), r.ObservedText()...)
	if len(r.Rules) > 0 {
		dst = append(append(dst, " | rules: "...), strings.Join(r.Rules, " ")...)
	}
	for i := 1; i < len(r.Why); i++ {
		sep := "; "
		if i == 1 {
			sep = " | "
		}
		dst = safe.Append(append(dst, sep...), r.Why[i])
	}
	return dst
}

// ExpectedText says in words what the model predicts, "" when nothing.
func (r *Row) ExpectedText() string {
	if !r.Expected.Known {
		return ""
	}
	e := r.Expected.V
	text := outcome(Some(ExpectedLock(e)), Some(e.Passes), Some(e.Drained), Some(e.ForceWait))
	if e.Ret != 0 {
		text += ", " + Result(e.Ret)
	}
	return text
}

// ObservedText says in the same words what the kernel did.
func (r *Row) ObservedText() string {
	text := outcome(r.Lock, r.Passes, r.Drained, r.ForceWait)
	if r.Ret.Known && (r.Ret.V < 0 || r.Expected.Known && r.Expected.V.Ret != 0) {
		text += ", " + Result(r.Ret.V)
	}
	return text
}

func outcome(lock Opt[Lock], passes Opt[int], drained, forceWait Opt[bool]) string {
	words := make([]string, 0, 4)
	switch {
	case !lock.Known:
		words = append(words, "lock unknown")
	case lock.V == NoLock:
		words = append(words, "no direct I/O")
	default:
		words = append(words, lock.V.String())
	}
	switch {
	case !passes.Known:
		words = append(words, "passes unknown")
	case passes.V == 1:
		words = append(words, "1 pass")
	default:
		words = append(words, strconv.Itoa(passes.V)+" passes")
	}
	words = append(words, YesNo(drained, "drained", "no drain", "drain unknown"))
	if !Is(lock, NoLock) {
		words = append(words, YesNo(forceWait, "force wait", "no force wait", "force wait unknown"))
	}
	return strings.Join(words, ", ")
}

// YesNo says in words what is known of b.
func YesNo(b Opt[bool], yes, no, unknown string) string {
	switch {
	case !b.Known:
		return unknown
	case b.V:
		return yes
	}
	return no
}

// AppendLookups appends the check-phase lookups as block,blocks=result and the
// first letter of the state (W U H D E), passes parted by "|". Lookups that do
// not fit into width are counted; 0 is any width.
func (r *Row) AppendLookups(dst []byte, width int) []byte {
	if len(r.Lookups) == 0 {
		if r.ListsKnown {
			return append(dst, '-')
		}
		return append(dst, '?')
	}
	start := len(dst)
	for i := range r.Lookups {
		l := &r.Lookups[i]
		before := len(dst)
		if i > 0 {
			sep := byte(' ')
			if l.Pass != r.Lookups[i-1].Pass {
				sep = '|'
			}
			dst = append(dst, sep)
		}
		dst = strconv.AppendUint(dst, uint64(l.Lblk), 10)
		dst = append(dst, ',')
		dst = strconv.AppendUint(dst, uint64(l.Len), 10)
		dst = append(dst, '=')
		dst = strconv.AppendInt(dst, int64(l.Ret), 10)
		dst = append(dst, l.State.String()[0]&^0x20)
		rest := len(r.Lookups) - i
		room := width - (len(dst) - start)
		if width > 0 && (room < 0 || rest > 1 && room < len(" +99")) {
			if i == 0 {
				continue
			}
			dst = append(dst[:before], " +"...)
			return strconv.AppendInt(dst, int64(rest), 10)
		}
	}
	return dst
}

func appendFile(dst []byte, r *Row) []byte {
	if r.Path == "" {
		return strconv.AppendUint(append(dst, "ino "...), r.Ino, 10)
	}
	// The end of a path tells more than its beginning.
	return safe.Append(dst, r.Path[strings.LastIndexByte(r.Path, '/')+1:])
}

func appendName[T fmt.Stringer](dst []byte, v Opt[T], unknown string) []byte {
	if !v.Known {
		return append(dst, unknown...)
	}
	return append(dst, v.V.String()...)
}

func appendForceWait(dst []byte, r *Row) []byte {
	if Is(r.Lock, NoLock) {
		return append(dst, '-') // dio_flags were never made
	}
	return appendYes(dst, r.ForceWait)
}

func appendRet(dst []byte, r *Row) []byte {
	if !r.Ret.Known {
		return append(dst, "queued"...)
	}
	return appendResult(dst, r.Ret.V)
}

func appendYes(dst []byte, b Opt[bool]) []byte { return append(dst, YesNo(b, "yes", "-", "?")...) }

func appendOr[T int | int64](dst []byte, n Opt[T]) []byte {
	if !n.Known {
		return append(dst, '?')
	}
	return strconv.AppendInt(dst, int64(n.V), 10)
}

func appendCount(dst []byte, n Opt[int64]) []byte {
	if n.Known && n.V == 0 {
		return append(dst, '-')
	}
	return appendOr(dst, n)
}

func appendTime(dst []byte, ns Opt[uint64]) []byte {
	switch {
	case !ns.Known:
		return append(dst, '?')
	case ns.V == 0:
		return append(dst, '-')
	}
	return appendDuration(dst, ns.V)
}

// appendSince appends the seconds from start to ns with six digits.
func appendSince(dst []byte, ns, start uint64) []byte {
	us := (ns - start) / 1000
	if ns < start {
		us = (start - ns) / 1000
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, us/1e6, 10)
	dst = append(dst, '.')
	frac := us % 1e6
	for div := uint64(100_000); div > 0; div /= 10 {
		dst = append(dst, byte('0'+frac/div%10))
	}
	return dst
}

// fit returns full, whose part from start on is one cell, cut or filled to
// width columns. A negative width is that of a number: it is aligned to the
// right. A cut cell ends in "~".
func fit(full []byte, start, width int) []byte {
	right := width < 0
	if right {
		width = -width
	}
	n := 0
	kept, at := 0, start // what stays when there is too much: it leaves room for the "~"
	for i := start; i < len(full); {
		r, size := utf8.DecodeRune(full[i:])
		if n += cells(r); n > width {
			full, n, right = append(full[:at], '~'), kept+1, false
			break
		}
		if i += size; n < width {
			kept, at = n, i
		}
	}
	pad := max(width-n, 0)
	for range pad {
		full = append(full, ' ')
	}
	if right {
		cell := full[start:]
		copy(cell[pad:], cell[:len(cell)-pad])
		for i := range pad {
			cell[i] = ' '
		}
	}
	return full
}
