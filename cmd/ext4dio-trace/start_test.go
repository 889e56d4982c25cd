package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The program is small and there at once: it is copied into guests and onto servers,
// and --help is read by people. Both limits have room for a slower machine: on the one
// where this was written it has 12 MB and needs 6 ms.
func TestSmallAndQuick(t *testing.T) {
	const (
		maxBytes = 20 << 20
		maxStart = 20 * time.Millisecond
		tries    = 50 // a busy machine delays some; one that is quick enough proves it
	)
	bin := filepath.Join(t.TempDir(), progName)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBytes {
		t.Errorf("the program has %d bytes, more than %d", info.Size(), maxBytes)
	}
	best := time.Hour
	for i := 0; i < tries && best > maxStart; i++ {
		began := time.Now()
		if err := exec.Command(bin, "--help").Run(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	if best > maxStart {
		t.Errorf("--help takes %s, more than %s", best, maxStart)
	}
	t.Logf("%d bytes, --help in %s", info.Size(), best)
}
