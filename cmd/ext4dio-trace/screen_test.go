package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// screen is what a terminal shows: text and the cursor, no colours. It knows what xterm's
// description says and the program uses.
type screen struct {
	cols, rows  int
	main        [][]string // the other page, while alt is set
	page        [][]string // a cell has one character, "" behind a wide one
	x, y        int
	savedX      int
	savedY      int
	wrap        bool // the next character begins a line
	top, bottom int  // of the scrolling region
	alt         bool
	modes       map[int]bool // private ones that are not as in the beginning
	pushed      int          // keyboard modes
	last        string       // character, for REP
	unknown     []string     // sequences
}

// modesOnce are those that are on in the beginning: wrapping and the cursor.
var modesOnce = map[int]bool{7: true, 25: true}

func newPage(cols, rows int) [][]string {
	page := make([][]string, rows)
	for y := range page {
		page[y] = blankCells(cols)
	}
	return page
}

func blankCells(n int) []string {
	line := make([]string, n)
	for x := range line {
		line[x] = " "
	}
	return line
}

func (s *screen) resize(cols, rows int) {
	fit := func(old [][]string) [][]string {
		page := newPage(cols, rows)
		for y := range min(rows, len(old)) {
			copy(page[y], old[y])
		}
		return page
	}
	s.page, s.main = fit(s.page), fit(s.main)
	s.cols, s.rows, s.top, s.bottom = cols, rows, 0, rows-1
	s.x, s.y, s.wrap = min(s.x, cols-1), min(s.y, rows-1), false
	if s.modes == nil {
		s.modes = make(map[int]bool)
	}
}

// line is a line of the screen without the blanks at its end.
func (s *screen) line(y int) string { return strings.TrimRight(strings.Join(s.page[y], ""), " ") }

// lastLine is the lowest line that is not empty.
func (s *screen) lastLine() string {
	for y := s.rows - 1; y >= 0; y-- {
		if line := s.line(y); line != "" {
			return line
		}
	}
	return ""
}

func (s *screen) String() string {
	var b strings.Builder
	for y := range s.page {
		b.WriteString(s.line(y) + "\n")
	}
	return b.String()
}

// wholeRunes is b without a character at its end of which some bytes have not come yet.
func wholeRunes(b []byte) []byte {
	for i := len(b) - 1; i >= max(len(b)-utf8.UTFMax, 0); i-- {
		if utf8.RuneStart(b[i]) && !utf8.FullRune(b[i:]) {
			return b[:i]
		}
	}
	return b
}

// take does what one character or sequence says.
func (s *screen) take(seq string, width int, cmd ansi.Cmd, params ansi.Params) {
	r, _ := utf8.DecodeRuneInString(seq)
	switch {
	case width > 0:
		s.put(seq, width)
	case len(seq) == 1:
		s.controlCode(seq[0])
	case ansi.HasCsiPrefix(seq):
		s.csi(seq, cmd, params)
	case ansi.HasOscPrefix(seq), ansi.HasDcsPrefix(seq), ansi.HasApcPrefix(seq): // titles, colours, questions
	case seq == "\x1b7":
		s.savedX, s.savedY = s.x, s.y
	case seq == "\x1b8":
		s.moveTo(s.savedX, s.savedY)
	case seq == "\x1bM":
		s.reverseIndex()
	case seq == "\x1b=", seq == "\x1b>", strings.HasPrefix(seq, "\x1b("): // keypad, character sets
	case unicode.In(r, unicode.Mn, unicode.Me):
	default:
		s.unknown = append(s.unknown, seq)
	}
}

func (s *screen) put(text string, width int) {
	if s.wrap || s.x+width > s.cols {
		s.x, s.wrap = 0, false
		s.lineFeed()
	}
	s.page[s.y][s.x], s.last = text, text
	if width == 2 {
		s.page[s.y][s.x+1] = ""
	}
	if s.x += width; s.x >= s.cols {
		s.x, s.wrap = s.cols-1, true
	}
}

func (s *screen) moveTo(x, y int) {
	s.x, s.y, s.wrap = min(max(x, 0), s.cols-1), min(max(y, 0), s.rows-1), false
}

func (s *screen) lineFeed() {
	if s.y == s.bottom {
		s.scroll(s.top, 1)
	} else {
		s.moveTo(s.x, s.y+1)
	}
}

func (s *screen) reverseIndex() {
	if s.y == s.top {
		s.scroll(s.top, -1)
	} else {
		s.moveTo(s.x, s.y-1)
	}
}

// scroll moves the lines from one on to the end of the scrolling region, n up.
func (s *screen) scroll(from, n int) {
	region := s.page[from : s.bottom+1]
	for range min(abs(n), len(region)) {
		if n > 0 {
			copy(region, region[1:])
			region[len(region)-1] = blankCells(s.cols)
		} else {
			copy(region[1:], region)
			region[0] = blankCells(s.cols)
		}
	}
}

func abs(n int) int { return max(n, -n) }

func (s *screen) controlCode(c byte) {
	switch c {
	case '\r':
		s.moveTo(0, s.y)
	case '\n':
		s.lineFeed()
	case '\b':
		s.moveTo(s.x-1, s.y)
	case '\t':
		s.moveTo(s.x&^7+8, s.y)
	case 0, 7, 0x0e, 0x0f:
	default:
		s.unknown = append(s.unknown, fmt.Sprintf("%#x", c))
	}
}

// csi does what a control sequence says.
func (s *screen) csi(seq string, cmd ansi.Cmd, params ansi.Params) {
	arg := func(i, def int) int {
		n, _, ok := params.Param(i, def)
		if !ok || n == 0 {
			return def
		}
		return n
	}
	n := arg(0, 1)
	if cmd.Prefix() != 0 || cmd.Intermediate() != 0 {
		s.private(seq, cmd, params)
		return
	}
	switch cmd.Final() {
	case 'A':
		s.moveTo(s.x, s.y-n)
	case 'B', 'e':
		s.moveTo(s.x, s.y+n)
	case 'C', 'a':
		s.moveTo(s.x+n, s.y)
	case 'D':
		s.moveTo(s.x-n, s.y)
	case 'G', '`':
		s.moveTo(n-1, s.y)
	case 'd':
		s.moveTo(s.x, n-1)
	case 'H', 'f':
		s.moveTo(arg(1, 1)-1, n-1)
	case 'I':
		s.moveTo((s.x/8+n)*8, s.y)
	case 'Z':
		s.moveTo(((s.x+7)/8-n)*8, s.y)
	case 'b':
		for range n {
			s.put(s.last, 1)
		}
	case 'r':
		s.top, s.bottom = n-1, arg(1, s.rows)-1
		s.moveTo(0, 0)
	case 'S':
		s.scroll(s.top, n)
	case 'T':
		s.scroll(s.top, -n)
	case 'L':
		s.scroll(s.y, -n)
	case 'M':
		s.scroll(s.y, n)
	case 'J', 'K', 'X', 'P', '@':
		s.erase(cmd.Final(), arg(0, 0))
	case 'm', 'n', 'c', 't': // looks, questions, the window
	default:
		s.unknown = append(s.unknown, seq)
	}
}

// erase does what clears or moves cells of a line, or whole lines.
func (s *screen) erase(final byte, n int) {
	line := s.page[s.y]
	switch final {
	case 'X':
		copy(line[s.x:], blankCells(min(max(n, 1), s.cols-s.x)))
	case 'P':
		rest := append(line[min(s.x+max(n, 1), s.cols):], blankCells(min(max(n, 1), s.cols-s.x))...)
		copy(line[s.x:], append([]string(nil), rest...))
	case '@':
		copy(line[s.x:], append(blankCells(min(max(n, 1), s.cols-s.x)), line[s.x:]...))
	case 'K':
		s.clear(s.y, n)
	case 'J':
		s.clear(s.y, n)
		for y := range s.page {
			if n == 2 || n == 0 && y > s.y || n == 1 && y < s.y {
				s.page[y] = blankCells(s.cols)
			}
		}
	}
}

// clear clears a line from the cursor on (0), up to it (1), or all of it (2).
func (s *screen) clear(y, how int) {
	from, to := s.x, s.cols
	if how > 0 {
		from = 0
	}
	if how == 1 {
		to = s.x + 1
	}
	copy(s.page[y][from:to], blankCells(to-from))
}

// private does what modes say.
func (s *screen) private(seq string, cmd ansi.Cmd, params ansi.Params) {
	switch {
	case cmd.Prefix() == '?' && (cmd.Final() == 'h' || cmd.Final() == 'l') && cmd.Intermediate() == 0:
		for _, p := range params {
			s.setMode(p.Param(0), cmd.Final() == 'h')
		}
	case cmd.Final() == 'u' && cmd.Prefix() == '>':
		s.pushed++
	case cmd.Final() == 'u' && cmd.Prefix() == '<':
		s.pushed = max(s.pushed-1, 0)
	case cmd.Final() == 'u': // set or asked for
	case seq == "\x1b[?5W": // tab stops as they are
	case cmd.Final() == 'p' && cmd.Intermediate() == '$', cmd.Final() == 'q', cmd.Final() == 'c', cmd.Final() == 'n', cmd.Final() == 'm':
		// Questions, the shape of the cursor, how keys are told.
	default:
		s.unknown = append(s.unknown, seq)
	}
}

func (s *screen) setMode(mode int, on bool) {
	if mode == 1049 && on != s.alt {
		s.alt = on
		if on {
			s.savedX, s.savedY = s.x, s.y
			s.main, s.page = s.page, newPage(s.cols, s.rows)
		} else {
			s.page, s.main = s.main, newPage(s.cols, s.rows)
			s.moveTo(s.savedX, s.savedY)
		}
	}
	if on == modesOnce[mode] {
		delete(s.modes, mode)
	} else {
		s.modes[mode] = on
	}
}
