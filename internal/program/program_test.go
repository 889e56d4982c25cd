package program

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	want := filepath.Join(dir, "e4d-program")
	if err := os.WriteFile(want, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if got, err := Find("e4d-program"); got != want || err != nil {
		t.Errorf("found %q, %v; want %s", got, err, want)
	}
	if got, err := Find("e4d-nothing"); got != "" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found %q, %v", got, err)
	}
}
