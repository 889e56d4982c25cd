package testkit

import (
	"encoding/json"
	"testing"
)

// JSON is a value as indented JSON.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
