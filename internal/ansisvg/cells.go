package main

import (
	"unicode"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
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
			uv.ReadStyle(p.Params(), (*uv.Style)(&now))
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

// look is how a character looks.
type look uv.Style

func (l look) has(attr uint8) bool { return l.Attrs&attr != 0 }
