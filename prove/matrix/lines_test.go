package matrix

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
)

// writes reads the writes among lines of JSON, without the lines of other kinds.
func writes[Row any](t *testing.T, text string) (rows []Row) {
	t.Helper()
	for line := range strings.Lines(text) {
		if export.LineKind([]byte(line)) != "" {
			continue
		}
		var row Row
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}
