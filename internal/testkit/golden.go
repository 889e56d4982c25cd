// Package testkit is what tests of several packages need. Nothing but tests imports it.
package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files; look at the difference")

// Golden compares a text with a file of the package's testdata.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	golden(t, filepath.Join("testdata", name), got, *update)
}

// Section compares a text with that part of a document which begins after a heading and
// ends before the next empty line. That of a table includes its rule.
func Section(t testing.TB, file, heading, got string) {
	t.Helper()
	section(t, file, heading, got, *update)
}

func section(t testing.TB, file, heading, got string, update bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(b), heading+"\n")
	want, after, whole := strings.Cut(rest, "\n\n")
	switch {
	case !found || !whole:
		t.Errorf("%s has no %q with an empty line behind its text", file, heading)
	case want+"\n" == got:
	case !update:
		t.Errorf("%s differs below %q (go test -update in this folder rewrites it)\ngot:\n%s\nwant:\n%s", file, heading, got, want)
	default:
		if err := os.WriteFile(file, []byte(before+heading+"\n"+got+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func golden(t testing.TB, file, got string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update in this folder rewrites it)\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}
