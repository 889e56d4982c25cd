package kernelvm

import (
	"path/filepath"
	"testing"
)

func TestUntarStaysInside(t *testing.T) {
	dir := t.TempDir()
	outside := write(t, dir, "outside", "untouched")
	to := filepath.Join(dir, "out")
	e := extractTo(to, 1<<20)
	_, _ = e.Write(makeTar(t, "a/b", "12", "link", "->a/b", "a/b", "345"))
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if read(t, filepath.Join(to, "link")) != "345" {
		t.Error("the link does not lead to the new file")
	}
	for _, evil := range [][]string{{"../outside", "evil"}, {"up", "->..", "up/outside", "evil"}, {outside, "evil"}} {
		e := extractTo(to, 1<<20)
		_, _ = e.Write(makeTar(t, evil...))
		if err := e.Close(); err == nil && evil[0] != outside {
			t.Errorf("%v: no error", evil)
		}
		if read(t, outside) != "untouched" {
			t.Fatalf("%v was written", evil)
		}
	}
}
