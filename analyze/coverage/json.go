package coverage

import (
	"encoding/json"
	"io"
)

// WriteJSON writes reports as one JSON object, with what a comparison found and the coverage by mark; nil
// without them.
func WriteJSON(w io.Writer, reports []Report, against []Difference, marks []Marked) error {
	return json.NewEncoder(w).Encode(struct {
		Variants []Report     `json:"variants"`
		Against  []Difference `json:"against"` // null without a comparison
		Marks    []Marked     `json:"marks"`   // null without marks asked for
	}{reports, against, marks})
}
