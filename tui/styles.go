package tui

import (
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
)

// look is how a piece of text looks: the sequence that begins it. A row has many
// pieces, so this is as cheap as it can be.
type look string

// Render gives s the look.
func (l look) Render(s string) string {
	if l == "" || s == "" {
		return s
	}
	return string(l) + s + ansi.ResetStyle
}

// styles are the looks of things. Each says the same everywhere, and never says
// anything that the words do not say too. Only the terminal's own colours are
// used, so that they are legible on light and dark grounds.
type styles struct {
	title, label, dim, bold, selected look
	loss, bad, odd, warn, good        look
}

func newStyles() styles {
	of := func(s ansi.Style) look { return look(s.String()) }
	plain := ansi.NewStyle()
	return styles{
		title:    of(plain.Bold()),
		label:    of(plain.ForegroundColor(ansi.Cyan)),
		dim:      of(plain.Faint()),
		bold:     of(plain.Bold()),
		selected: of(plain.Reverse(true)),
		loss:     of(plain.Bold().Reverse(true).ForegroundColor(ansi.Red)),
		bad:      of(plain.Bold().ForegroundColor(ansi.Red)),
		odd:      of(plain.ForegroundColor(ansi.Magenta)),
		warn:     of(plain.ForegroundColor(ansi.Yellow)),
		good:     of(plain.ForegroundColor(ansi.Green)),
	}
}

// verdict is the look of a verdict.
func (s *styles) verdict(k judge.Kind) look {
	switch k {
	case judge.Agree:
		return s.good
	case judge.Slower:
		return s.warn
	case judge.Differs:
		return s.odd
	case judge.Unsafe:
		return s.bad
	}
	return s.dim
}
