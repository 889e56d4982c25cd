package main

import (
	"fmt"
	"image/color"
	"io"

	"github.com/charmbracelet/x/ansi"
)

// themes are the values of -theme.
var themes = []string{"auto", "dark", "light"}

// palette has the colours of a theme: the ground, the usual colour of text, and the 16.
type palette struct {
	ground, text string
	basic        [16]string
}

// All are legible on their ground, the bright black, which is for what matters less, too.
var (
	darkPalette = palette{"#101418", "#d0d7de", [16]string{
		"#3b434c", "#ff7b72", "#56c364", "#d9a62e", "#6cb0ff", "#d19bff", "#43c7d2", "#c3cad1",
		"#808a95", "#ffa8a1", "#7ee08b", "#f0c964", "#9bcbff", "#e2beff", "#7be0e8", "#ffffff",
	}}
	lightPalette = palette{"#ffffff", "#1f2328", [16]string{
		"#1f2328", "#c4202b", "#146c2a", "#8a5a00", "#0a5fd0", "#7d3fd0", "#13707a", "#5f6a75",
		"#6b7580", "#a3121d", "#1c7d36", "#744b00", "#1f76ea", "#9455e8", "#1f8791", "#8b949e",
	}}
)

// style writes the style sheet. Colours are classes, so that a theme is one place.
func (p *picture) style(w io.Writer) {
	fmt.Fprint(w, "<style>\ntext{font:14px 'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace;white-space:pre}\n"+
		".b{font-weight:bold}.i{font-style:italic}.f{opacity:.62}.u{text-decoration:underline}.s{text-decoration:line-through}.w{text-anchor:middle}\n")
	switch p.theme {
	case "dark":
		darkPalette.style(w)
	case "light":
		lightPalette.style(w)
	default:
		lightPalette.style(w)
		fmt.Fprint(w, "@media (prefers-color-scheme:dark){\n")
		darkPalette.style(w)
		fmt.Fprint(w, "}\n")
	}
	fmt.Fprint(w, "</style>\n")
}

func (p *palette) style(w io.Writer) {
	fmt.Fprintf(w, ".g{fill:%s}.t{fill:%s}", p.ground, p.text)
	for i, c := range p.basic {
		fmt.Fprintf(w, ".c%d{fill:%s}", i, c)
	}
	fmt.Fprintln(w)
}

// ink is a colour to draw with: a class where the theme says which, or the attribute
// that fills with it.
type ink struct{ class, fill string }

// inkOf is the ink of a colour; nil is the usual one.
func inkOf(c color.Color, usual string) ink {
	switch c := c.(type) {
	case nil:
		return ink{class: usual}
	case ansi.BasicColor:
		return ink{class: fmt.Sprintf("c%d", c)}
	case ansi.IndexedColor:
		if c < 16 {
			return ink{class: fmt.Sprintf("c%d", c)}
		}
	}
	r, g, b, _ := c.RGBA()
	return ink{fill: fmt.Sprintf(` fill="#%02x%02x%02x"`, r>>8, g>>8, b>>8)}
}
