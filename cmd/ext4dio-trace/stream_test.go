package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ext4dio/ext4dio-trace/export"
)

// TestStreamOfRealTraces: all lines of the recorded traces are what the schema in docs/
// says; the first one names it, the last one is the summary.
func TestStreamOfRealTraces(t *testing.T) {
	path, err := filepath.Abs(filepath.Join("..", "..", "docs", "ext4dio-trace.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	traces, err := filepath.Glob(filepath.Join("..", "..", "testdata", "traces", "*.e4d"))
	if err != nil || len(traces) != 10 {
		t.Fatal(traces, err)
	}
	for _, trace := range traces {
		out, err := exported(t, trace, "--format", "jsonl")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		writes := 0
		for line := range bytes.Lines(text) {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				t.Fatalf("%s: %s%v", trace, line, err)
			}
			if kind := export.LineKind(line); kind != "" {
				kinds = append(kinds, kind)
			} else {
				writes++
			}
		}
		if len(kinds) != 2 || kinds[0] != export.KindStart || kinds[1] != export.KindSummary || writes < 100 {
			t.Errorf("%s: %d writes and %q", trace, writes, kinds)
		}
		if !bytes.HasPrefix(text, []byte(`{"schema":"ext4dio-trace/1","kind":"start",`)) {
			t.Errorf("%s begins with %.80s", trace, text)
		}
	}
}
