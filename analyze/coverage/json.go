package coverage

import (
	"encoding/json"
	"io"
)

// WriteJSON writes reports as one JSON object, with what a comparison found, nil without one.
func WriteJSON(w io.Writer, reports []Report, against []Difference) error {
	return json.NewEncoder(w).Encode(struct {
		Variants []Report     `json:"variants"`
		Against  []Difference `json:"against"` // null without a comparison
	}{reports, against})
}
