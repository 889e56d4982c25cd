package tui

import (
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
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

// tone is the look of a tone.
func (s *styles) tone(t export.Tone) look {
	return [...]look{export.Dim: s.dim, export.Good: s.good, export.Warn: s.warn, export.Odd: s.odd, export.Bad: s.bad}[t]
}

// verdict is the look of a verdict.
func (s *styles) verdict(k judge.Kind) look { return s.tone(export.VerdictTone(k)) }
