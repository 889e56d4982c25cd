package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// told is a test that notes that it failed.
type told struct {
	testing.TB
	failed bool
}

func (t *told) Errorf(string, ...any) { t.failed = true }

func TestGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for i, tt := range []struct {
		got    string
		update bool
		fails  bool
	}{{"one", true, false}, {"one", false, false}, {"two", false, true}, {"two", true, false}, {"two", false, false}} {
		in := &told{TB: t}
		if golden(in, file, tt.got, tt.update); in.failed != tt.fails {
			t.Errorf("step %d fails: %v", i, in.failed)
		}
	}
	if b, err := os.ReadFile(file); string(b) != "two" || err != nil {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestSection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("a\nhead\none\n\nz\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		heading, got string
		update       bool
		fails        bool
	}{{"head", "one\n", false, false}, {"head", "two\n", false, true}, {"head", "two\n", true, false}, {"head", "two\n", false, false}, {"none", "two\n", true, true}} {
		in := &told{TB: t}
		if section(in, file, tt.heading, tt.got, tt.update); in.failed != tt.fails {
			t.Errorf("step %d fails: %v", i, in.failed)
		}
	}
	if b, err := os.ReadFile(file); string(b) != "a\nhead\ntwo\n\nz\n" || err != nil {
		t.Errorf("the file holds %q, %v", b, err)
	}
}
