package tui

import (
	"charm.land/lipgloss/v2"

	"github.com/ext4dio/ext4dio-trace/decode"
)

// styles are the looks of things. Each says the same everywhere, and never says
// anything that the words do not say too. Only the terminal's own colours are
// used, so that they are legible on light and dark grounds.
type styles struct {
	title, label, dim, bold, selected lipgloss.Style
	loss, bad, odd, warn, good        lipgloss.Style
}

func newStyles() styles {
	plain := lipgloss.NewStyle()
	return styles{
		title:    plain.Bold(true),
		label:    plain.Foreground(lipgloss.Cyan),
		dim:      plain.Faint(true),
		bold:     plain.Bold(true),
		selected: plain.Reverse(true),
		loss:     plain.Bold(true).Reverse(true).Foreground(lipgloss.Red),
		bad:      plain.Bold(true).Foreground(lipgloss.Red),
		odd:      plain.Foreground(lipgloss.Magenta),
		warn:     plain.Foreground(lipgloss.Yellow),
		good:     plain.Foreground(lipgloss.Green),
	}
}

// verdict is the look of a verdict.
func (s *styles) verdict(k decode.Kind) lipgloss.Style {
	switch k {
	case decode.Agree:
		return s.good
	case decode.Slower:
		return s.warn
	case decode.Differs:
		return s.odd
	case decode.Unsafe:
		return s.bad
	}
	return s.dim
}
