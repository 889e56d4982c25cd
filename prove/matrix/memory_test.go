package matrix

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestMemory: while it traces, with the ring buffer of 8 MB that is the default and
// is mapped twice, and with the program itself in memory, less than 40 MB are resident.
func TestMemory(t *testing.T) {
	need(t)
	t.Parallel()
	const limit = 40 << 10 // KiB
	args := []string{"--null-blk", "512M", "--share", "testdata/memory"}
	for _, name := range []string{"grep", "sed"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--bin", file)
	}
	lines, stderr, status := guest(t, kernelSpec(t, "debian-7.3"), append(args, "--", "live", "--json", "--", "/bin/sh", "/share/write.sh")...)
	if status != 0 {
		t.Fatalf("live ended with %d:\n%s", status, stderr)
	}
	seen := 0
	for line := range strings.Lines(stderr) {
		var when, what string
		var kib int
		if n, _ := fmt.Sscanf(line, "%s %s %d kB", &when, &what, &kib); n != 3 || when != "before" && when != "after" {
			continue
		}
		t.Log(strings.TrimSpace(line))
		if what != "VmRSS:" {
			continue
		}
		seen++
		if kib >= limit {
			t.Errorf("%s the writes %d KiB are resident, want less than %d", when, kib, limit)
		}
	}
	if writes := strings.Count(lines, `{"time_ns":`); seen != 2 || writes < 8000 {
		t.Errorf("%d measurements, %d writes:\n%s", seen, writes, stderr)
	}
}
