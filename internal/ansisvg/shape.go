package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// arms are the lines of a box drawing character from the middle of its cell to its sides.
type arms struct{ left, right, up, down uint8 } // 0 none, 1 light, 2 heavy

var boxes = map[rune]arms{
	'─': {1, 1, 0, 0}, '│': {0, 0, 1, 1}, '┌': {0, 1, 0, 1}, '┐': {1, 0, 0, 1}, '└': {0, 1, 1, 0}, '┘': {1, 0, 1, 0},
	'├': {0, 1, 1, 1}, '┤': {1, 0, 1, 1}, '┬': {1, 1, 0, 1}, '┴': {1, 1, 1, 0}, '┼': {1, 1, 1, 1},
	'━': {2, 2, 0, 0}, '┃': {0, 0, 2, 2}, '┏': {0, 2, 0, 2}, '┓': {2, 0, 0, 2}, '┗': {0, 2, 2, 0}, '┛': {2, 0, 2, 0},
	'┣': {0, 2, 2, 2}, '┫': {2, 0, 2, 2}, '┳': {2, 2, 0, 2}, '┻': {2, 2, 2, 0}, '╋': {2, 2, 2, 2},
	'╭': {0, 1, 0, 1}, '╮': {1, 0, 0, 1}, '╰': {0, 1, 1, 0}, '╯': {1, 0, 1, 0},
	'╴': {1, 0, 0, 0}, '╵': {0, 0, 1, 0}, '╶': {0, 1, 0, 0}, '╷': {0, 0, 0, 1},
}

// isShape reports whether a character is drawn as a shape, because fonts leave gaps
// between such characters where a terminal has none.
func isShape(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	if n != len(s) {
		return false
	}
	_, box := boxes[r]
	return box || r >= '▀' && r <= '▟'
}

// rectangle is one in a cell, in parts of it; shade is how much of it is filled.
type rectangle struct{ x, y, w, h, shade float64 }

// shape draws n equal characters.
func shape(w io.Writer, x, y, n int, c cell) {
	r, _ := utf8.DecodeRuneInString(c.text)
	class, fill := classes(c.look.class()), c.look.fill()
	if a, ok := boxes[r]; ok {
		fmt.Fprintf(w, `<path%s%s d="`, class, fill)
		for i := range n {
			a.draw(w, left(x+i), float64(top(y)))
		}
		fmt.Fprint(w, `"/>`+"\n")
		return
	}
	for _, b := range block(r) {
		opacity := ""
		if b.shade < 1 {
			opacity = fmt.Sprintf(` fill-opacity="%.2f"`, b.shade)
		}
		if b.w == 1 { // one for all
			fmt.Fprintf(w, `<rect%s%s x="%.1f" y="%.3f" width="%.1f" height="%.3f"%s/>`+"\n",
				class, fill, left(x), float64(top(y))+b.y*cellHeight, float64(n)*cellWidth, b.h*cellHeight, opacity)
			continue
		}
		for i := range n {
			fmt.Fprintf(w, `<rect%s%s x="%.3f" y="%.3f" width="%.3f" height="%.3f"%s/>`+"\n",
				class, fill, left(x+i)+b.x*cellWidth, float64(top(y))+b.y*cellHeight, b.w*cellWidth, b.h*cellHeight, opacity)
		}
	}
}

// draw appends the arms as rectangles of a path.
func (a arms) draw(w io.Writer, x, y float64) {
	const mx, my = cellWidth / 2, cellHeight / 2.
	line := func(x0, y0, x1, y1 float64) {
		fmt.Fprintf(w, "M%.1f %.1fH%.1fV%.1fH%.1fz", x+x0, y+y0, x+x1, y+y1, x+x0)
	}
	half := func(weight uint8) float64 { return 0.6 * float64(weight) }
	if h := half(max(a.left, a.right)); h > 0 {
		// As far as the crossing line is wide, so that corners are full.
		v := half(max(a.up, a.down))
		x0, x1 := mx-v, mx+v
		if a.left > 0 {
			x0 = 0
		}
		if a.right > 0 {
			x1 = cellWidth
		}
		line(x0, my-h, x1, my+h)
	}
	if v := half(max(a.up, a.down)); v > 0 {
		y0, y1 := my, my
		if a.up > 0 {
			y0 = 0
		}
		if a.down > 0 {
			y1 = cellHeight
		}
		line(mx-v, y0, mx+v, y1)
	}
}

// block is a block element as rectangles.
func block(r rune) []rectangle {
	switch {
	case r == '▀':
		return []rectangle{{0, 0, 1, .5, 1}}
	case r >= '▁' && r <= '█':
		h := float64(r-'▁'+1) / 8
		return []rectangle{{0, 1 - h, 1, h, 1}}
	case r >= '▉' && r <= '▏':
		return []rectangle{{0, 0, float64('▐'-r) / 8, 1, 1}}
	case r == '▐':
		return []rectangle{{.5, 0, .5, 1, 1}}
	case r >= '░' && r <= '▓':
		return []rectangle{{0, 0, 1, 1, float64(r-'░'+1) / 4}}
	case r == '▔':
		return []rectangle{{0, 0, 1, .125, 1}}
	case r == '▕':
		return []rectangle{{.875, 0, .125, 1, 1}}
	}
	// Quadrants, by which of them are filled: upper left, upper right, lower left, lower
	// right.
	const quadrants = "..x. ...x x... x.xx x..x xxx. xx.x .x.. .xx. .xxx"
	var out []rectangle
	for i, filled := range strings.Fields(quadrants)[r-'▖'] {
		if filled == 'x' {
			out = append(out, rectangle{float64(i%2) / 2, float64(i/2) / 2, .5, .5, 1})
		}
	}
	return out
}
