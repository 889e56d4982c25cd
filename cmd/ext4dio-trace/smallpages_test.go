package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestSmallPagesFirst: small pages are asked for before go-runewidth touches its tables.
func TestSmallPagesFirst(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	asked := strings.Index(string(out), "init github.com/ext4dio/ext4dio-trace/internal/smallpages @")
	touched := strings.Index(string(out), "init github.com/mattn/go-runewidth @")
	if asked < 0 || touched < asked {
		t.Errorf("initialized at %d and %d of:\n%s", asked, touched, out)
	}
}
