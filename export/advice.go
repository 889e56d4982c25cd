package export

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Advice is one finding about the writes that were seen, and what changes it. Texts are raw:
// escape before showing.
type Advice struct {
	ID       string   // stable
	Sentence string   // what happens, and how much
	Why      string   // the condition, with the kernel's function
	Remedies []string // what changes it, the best first
	Sure     string   // what of it is counted, modelled and proven

	Writes uint64 // that it is about
	Of     uint64 // writes of the same files
	Files  int    // how many these are
	File   FileID // the one that is hit most
	Path   string // its name; empty when it is not known

	// TimeLost is what was waited because of it: a part of TimeOf, which is how long all
	// writes took, and those of others who waited behind them.
	TimeLost uint64
	TimeOf   uint64
}

// Share is how much of the time is lost.
func (a *Advice) Share() float64 { return float64(a.TimeLost) / float64(max(a.TimeOf, 1)) }

// Shown is a copy with texts that are fit for a terminal.
func (a *Advice) Shown() Advice {
	c := *a
	c.Sentence, c.Why, c.Sure, c.Remedies = SafeText(a.Sentence), SafeText(a.Why), SafeText(a.Sure), nil
	for _, r := range a.Remedies {
		c.Remedies = append(c.Remedies, SafeText(r))
	}
	return c
}

// FileName names a file by its path, or by its number where that is not known. names may be
// nil.
func FileName(id FileID, names Names) string {
	if names != nil {
		if path := names.Path(record.NameID{FileID: id}); path != "" {
			return path
		}
	}
	return fmt.Sprintf("inode %d on %s", id.Ino, DevName(id.Dev))
}

// adviceWidth is that of a terminal, in bytes.
const adviceWidth = 80

// AdviceLines are findings as text, fit for a terminal, the first word of each at its place
// in a summary.
func AdviceLines(list []Advice) (lines []string) {
	const indent = "             "
	for i := range list {
		a := list[i].Shown()
		lines = append(lines, folded(fmt.Sprintf("%-10s%d. ", "advice:", i+1), a.Sentence)...)
		lines = append(lines, folded(indent+"why:  ", a.Why)...)
		for _, r := range a.Remedies {
			lines = append(lines, folded(indent+"do:   ", r)...)
		}
		lines = append(lines, folded(indent+"sure: ", a.Sure)...)
	}
	return lines
}

// folded breaks a text at spaces. What follows is as far from the left as the text.
func folded(head, text string) (lines []string) {
	line := head
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) >= adviceWidth && len(line) > len(head) {
			lines = append(lines, strings.TrimRight(line, " "))
			line = strings.Repeat(" ", len(head))
		}
		line += word + " "
	}
	return append(lines, strings.TrimRight(line, " "))
}

// adviceJSON is an Advice for programs.
type adviceJSON struct {
	ID       string   `json:"id"`
	Sentence string   `json:"sentence"` // raw, as path; the other texts are always the same
	Why      string   `json:"why"`
	Remedies []string `json:"remedies"`
	Sure     string   `json:"sure"`
	Writes   uint64   `json:"writes"`
	Of       uint64   `json:"of"`
	Files    int      `json:"files"`
	Dev      string   `json:"dev"` // of the file that is hit most
	Ino      uint64   `json:"ino"`
	Gen      uint32   `json:"generation"`
	Path     *string  `json:"path"`
	LostNs   uint64   `json:"time_lost_ns"`
	OfNs     uint64   `json:"time_of_ns"`
}

// adviceJSON is null when nobody has looked for advice.
func (s *Summary) adviceJSON() []adviceJSON {
	if s.Advice == nil {
		return nil
	}
	out := []adviceJSON{}
	for i := range s.Advice {
		a := &s.Advice[i]
		j := adviceJSON{
			ID: a.ID, Sentence: a.Sentence, Why: a.Why, Remedies: a.Remedies, Sure: a.Sure, Writes: a.Writes, Of: a.Of, Files: a.Files,
			Dev: DevName(a.File.Dev), Ino: a.File.Ino, Gen: a.File.Generation, LostNs: a.TimeLost, OfNs: a.TimeOf,
		}
		if a.Path != "" {
			j.Path = &a.Path
		}
		out = append(out, j)
	}
	return out
}
