package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Measures of a picture, in pixels. A cell is as wide as a character of 14 pixels in the
// fonts that come first in the style sheet.
const (
	cellWidth  = 8.4
	cellHeight = 17
	baseline   = 13
	margin     = 10
)

// picture is what a screen is made into.
type picture struct {
	theme, title string
	cols, rows   int // at least
}

func (p *picture) write(w io.Writer, lines [][]cell) {
	cols, rows := p.cols, max(p.rows, len(lines))
	for _, line := range lines {
		cols = max(cols, len(line))
	}
	width, height := float64(cols)*cellWidth+2*margin, rows*cellHeight+2*margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.1f" height="%d" viewBox="0 0 %.1f %d" role="img">`+"\n", width, height, width, height)
	if p.title != "" {
		fmt.Fprintf(w, "<title>%s</title>\n", escape(p.title))
	}
	p.style(w)
	fmt.Fprintf(w, `<rect class="g" width="%.1f" height="%d" rx="6"/>`+"\n", width, height)
	for y, line := range lines {
		grounds(w, y, line)
		texts(w, y, line)
	}
	fmt.Fprint(w, "</svg>\n")
}

// inks are what a character and the ground behind it are drawn with.
func (l look) inks() (text, ground ink) {
	text, ground = inkOf(l.Fg, "t"), inkOf(l.Bg, "g")
	if l.has(uv.AttrReverse) {
		return ground, text
	}
	return text, ground
}

// grounds draws what lies behind the characters, where that is not the ground of all.
func grounds(w io.Writer, y int, line []cell) {
	for x := 0; x < len(line); {
		n := 1
		_, ground := line[x].look.inks()
		for x+n < len(line) {
			if _, next := line[x+n].look.inks(); next != ground {
				break
			}
			n++
		}
		if ground.class != "g" {
			fmt.Fprintf(w, `<rect x="%.1f" y="%d" width="%.1f" height="%d"%s%s/>`+"\n", left(x), top(y), float64(n)*cellWidth, cellHeight, classes(ground.class), ground.fill)
		}
		x += n
	}
}

func left(x int) float64 { return margin + float64(x)*cellWidth }
func top(y int) int      { return margin + y*cellHeight }

// texts draws the characters of a line: those of one look together, wide ones and those
// that are drawn as shapes each alone.
func texts(w io.Writer, y int, line []cell) {
	for x := 0; x < len(line); {
		c := line[x]
		n := 1
		switch {
		case c.look.has(uv.AttrConceal) || c.width == 0:
		case c.width == 2:
			fmt.Fprintf(w, `<text class="%s" x="%.1f" y="%d"%s>%s</text>`+"\n", strings.TrimSpace("w "+c.look.class()), left(x)+cellWidth, top(y)+baseline, c.look.fill(), escape(c.text))
			n = 2
		case isShape(c.text):
			for x+n < len(line) && line[x+n].text == c.text && line[x+n].look == c.look {
				n++
			}
			shape(w, x, y, n, c)
		default:
			n = alike(w, x, y, line)
		}
		x += n
	}
}

// alike draws the characters from x on that look alike, and says how many these are. Their
// length is given, so that another font does not move what follows.
func alike(w io.Writer, x, y int, line []cell) int {
	l := line[x].look
	end := x + 1
	for end < len(line) && line[end].look == l && line[end].width == 1 && !isShape(line[end].text) {
		end++
	}
	n := end - x
	if !l.underlined() && !l.has(uv.AttrStrikethrough) {
		for x < end && line[x].text == " " {
			x++
		}
		for x < end && line[end-1].text == " " {
			end--
		}
	}
	if x == end {
		return n
	}
	var b strings.Builder
	for _, c := range line[x:end] {
		b.WriteString(c.text)
	}
	fmt.Fprintf(w, `<text%s x="%.1f" y="%d" textLength="%.1f"%s xml:space="preserve">%s</text>`+"\n",
		classes(l.class()), left(x), top(y)+baseline, float64(end-x)*cellWidth, l.fill(), escape(b.String()))
	return n
}

func (l look) underlined() bool { return l.Underline != ansi.UnderlineNone }

func (l look) class() string {
	text, _ := l.inks()
	class := text.class
	for _, c := range []struct {
		on   bool
		name string
	}{
		{l.has(uv.AttrBold), " b"}, {l.has(uv.AttrFaint), " f"}, {l.has(uv.AttrItalic), " i"},
		{l.underlined(), " u"}, {l.has(uv.AttrStrikethrough), " s"},
	} {
		if c.on {
			class += c.name
		}
	}
	return strings.TrimSpace(class)
}

func (l look) fill() string {
	text, _ := l.inks()
	return text.fill
}

func classes(names string) string {
	if names == "" {
		return ""
	}
	return ` class="` + names + `"`
}

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// escape makes text fit for XML, which does not know most control characters.
func escape(s string) string {
	return markup.Replace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s))
}
