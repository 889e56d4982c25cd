package main

import (
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// cell is one place of the screen.
type cell struct {
	text  string // one character with what combines with it; empty behind a wide one
	width int    // 1 or 2; 0 behind a wide one
	look  look
}

// tabStop is the distance of tab stops.
const tabStop = 8

// parse makes lines of cells. Looks go on over the end of a line, as tmux writes them.
func parse(text []byte) [][]cell {
	var (
		lines   [][]cell
		line    []cell
		now     look
		drawing bool // line drawing characters are shifted in
		state   byte
	)
	p := ansi.NewParser()
	for len(text) > 0 {
		seq, width, n, next := ansi.DecodeSequence(text, state, p)
		state, text = next, text[n:]
		switch {
		case width > 0:
			line = append(line, cell{shift(string(seq), drawing), width, now})
			if width == 2 {
				line = append(line, cell{look: now})
			}
		case string(seq) == "\n":
			lines, line = append(lines, line), nil
		case string(seq) == "\t":
			for more := tabStop - len(line)%tabStop; more > 0; more-- {
				line = append(line, cell{" ", 1, now})
			}
		case string(seq) == "\x0e", string(seq) == "\x0f":
			drawing = seq[0] == 0x0e
		case ansi.Cmd(p.Command()) == 'm' && ansi.HasCsiPrefix(seq):
			now.apply(p.Params())
		case combines(seq) && len(line) > 0:
			last := len(line) - 1
			if line[last].width == 0 {
				last--
			}
			line[last].text += string(seq)
		}
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

// combines reports whether what takes no cell is drawn over the character before.
func combines(seq []byte) bool {
	r, _ := utf8.DecodeRune(seq)
	return unicode.In(r, unicode.Mn, unicode.Me)
}

// shift is a character of the DEC special graphics set, when that is shifted in.
func shift(s string, in bool) string {
	const from, to = "`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"
	if in && len(s) == 1 {
		for i, r := range []rune(to) {
			if from[i] == s[0] {
				return string(r)
			}
		}
	}
	return s
}

// paint is a colour.
type paint struct {
	kind  paintKind
	index uint8 // of the 256
	rgb   [3]uint8
}

type paintKind uint8

const (
	usual paintKind = iota // the terminal's own
	indexed
	direct
)

// look is how a character looks.
type look struct {
	fg, bg                                                  paint
	bold, faint, italic, underline, strike, reverse, hidden bool
}

// apply takes the parameters of an SGR sequence.
func (l *look) apply(params ansi.Params) {
	if len(params) == 0 {
		*l = look{}
	}
	for i := 0; i < len(params); {
		group := 1 // parameters that hang together by colons
		for params[i+group-1].HasMore() && i+group < len(params) {
			group++
		}
		n := params[i].Param(0)
		switch {
		case n == 38 || n == 48:
			c, used := readPaint(params[i:], group)
			if used > 0 && n == 38 {
				l.fg = c
			} else if used > 0 {
				l.bg = c
			}
			group = max(group, used)
		case n == 58: // colour of the underline
			_, used := readPaint(params[i:], group)
			group = max(group, used)
		case n == 4 && group > 1:
			l.underline = params[i+1].Param(0) != 0
		default:
			l.set(n)
		}
		i += group
	}
}

// set takes one parameter.
func (l *look) set(n int) {
	switch {
	case n == 0:
		*l = look{}
	case n == 1:
		l.bold = true
	case n == 2:
		l.faint = true
	case n == 3, n == 23:
		l.italic = n == 3
	case n == 4, n == 21, n == 24:
		l.underline = n != 24
	case n == 7, n == 27:
		l.reverse = n == 7
	case n == 8, n == 28:
		l.hidden = n == 8
	case n == 9, n == 29:
		l.strike = n == 9
	case n == 22:
		l.bold, l.faint = false, false
	case n >= 30 && n <= 37:
		l.fg = paint{kind: indexed, index: uint8(n - 30)}
	case n == 39:
		l.fg = paint{}
	case n >= 40 && n <= 47:
		l.bg = paint{kind: indexed, index: uint8(n - 40)}
	case n == 49:
		l.bg = paint{}
	case n >= 90 && n <= 97:
		l.fg = paint{kind: indexed, index: uint8(n - 90 + 8)}
	case n >= 100 && n <= 107:
		l.bg = paint{kind: indexed, index: uint8(n - 100 + 8)}
	}
}

// readPaint reads 38;5;N, 38;2;R;G;B, the same with colons, and 38:2:SPACE:R:G:B. used is
// how many parameters these are, 0 when it is none of them.
func readPaint(params ansi.Params, group int) (c paint, used int) {
	at := func(i int) uint8 { return uint8(min(max(params[i].Param(0), 0), 255)) }
	if len(params) < 3 {
		return c, 0
	}
	switch kind := params[1].Param(0); {
	case kind == 5:
		return paint{kind: indexed, index: at(2)}, 3
	case kind == 2 && group >= 6:
		return paint{kind: direct, rgb: [3]uint8{at(3), at(4), at(5)}}, group
	case kind == 2 && len(params) >= 5:
		return paint{kind: direct, rgb: [3]uint8{at(2), at(3), at(4)}}, 5
	}
	return c, 0
}
