package ext4fs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A device that does not answer keeps nobody waiting. A pipe without a writer is like it.
func TestReadSuperOfHungDevice(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSuper(pipe, "8:0"); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // lets the reader go
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}
