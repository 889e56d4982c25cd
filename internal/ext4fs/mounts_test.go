package ext4fs

import (
	"errors"
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
	_, err := anySuper("8:0", filepath.Join(t.TempDir(), "none"), pipe, "/dev/null")
	if !errors.Is(err, errHangs) || !strings.Contains(err.Error(), pipe) {
		t.Errorf("%v, want that the pipe does not answer, and no other name tried", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // lets the reader go
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}
