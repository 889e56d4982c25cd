package coverage

import (
	"encoding/json"
	"io"
)

// WriteJSON writes reports as one JSON object, with what a comparison found the coverage by mark, and what
// is not there of the recordings and of those they are compared with; nil without them.
func WriteJSON(w io.Writer, reports []Report, against []Difference, marks []Marked, gaps, others []Gap) error {
	return json.NewEncoder(w).Encode(struct {
		Variants []Report     `json:"variants"`
		Against  []Difference `json:"against"`      // null without a comparison
		Marks    []Marked     `json:"marks"`        // null without marks asked for
		Gaps     []Gap        `json:"gaps"`         // null when not known
		Others   []Gap        `json:"against_gaps"` // null without a comparison
	}{reports, against, marks, gaps, others})
}
