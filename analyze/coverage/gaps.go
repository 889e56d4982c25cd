package coverage

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Gap is what a coverage does not have of the recordings that it counted.
type Gap struct {
	Of   string  `json:"of" doc:"files of the recording, or the saved coverage"`
	Kind GapKind `json:"kind" doc:"MISSING, not read; LOST, not recorded; SAMPLE, not wanted; UNKNOWN, saved without it"`
	Text string  `json:"text" doc:"what it is"`
}

// GapKind says why something is not there.
type GapKind string

// Kinds of gaps. The first two leave unproven what was counted.
const (
	GapMissing GapKind = "MISSING"
	GapLost    GapKind = "LOST"
	GapSample  GapKind = "SAMPLE"
	GapUnknown GapKind = "UNKNOWN"
)

// Unproven reports whether something is not there that was wanted.
func (g Gap) Unproven() bool { return g.Kind == GapMissing || g.Kind == GapLost }

// Line is the gap as text; safe makes names fit for a terminal.
func (g Gap) Line(safe func(string) string) string {
	return fmt.Sprintf("%s: %s: %s", g.Kind, safe(g.Of), safe(g.Text))
}

// WriteGaps writes a line for each.
func WriteGaps(w io.Writer, all []Gap, safe func(string) string) {
	for _, g := range all {
		fmt.Fprintln(w, g.Line(safe))
	}
}

// worstGap is the first that leaves the coverage unproven, else the first.
func worstGap(all []Gap) *Gap {
	if i := slices.IndexFunc(all, Gap.Unproven); i >= 0 {
		return &all[i]
	}
	if len(all) > 0 {
		return &all[0]
	}
	return nil
}

// savedGaps are what a saved coverage, and the summary of a session, say of gaps.
type savedGaps struct {
	Gaps   *[]Gap          `json:"gaps"`
	Sample json.RawMessage `json:"sample"` // of a summary
	Lost   json.RawMessage `json:"lost"`   // others call other things so
	Losses json.RawMessage `json:"losses"`
}

// of are the gaps of what was saved under this name.
func (s *savedGaps) of(name string) []Gap {
	var lost *uint64
	var losses string
	summary := json.Unmarshal(s.Lost, &lost) == nil && json.Unmarshal(s.Losses, &losses) == nil && lost != nil
	switch {
	case s.Gaps != nil:
		return *s.Gaps
	case !summary:
		return []Gap{{name, GapUnknown, "what is missing of the recordings that it has counted is not known"}}
	}
	var out []Gap
	if *lost > 0 {
		out = append(out, Gap{name, GapLost, losses + ": which ways those took is not known"})
	}
	var sample *record.Sample
	if len(s.Sample) > 0 && json.Unmarshal(s.Sample, &sample) == nil && sample != nil {
		out = append(out, Gap{name, GapSample, fmt.Sprintf("only a sample was recorded, %v: what it does not have may have been done by other writes", *sample)})
	}
	return out
}
