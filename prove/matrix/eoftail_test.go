package matrix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEOFTail: what "races" says of eof-tail happens on real kernels. 6.1 takes the
// exclusive lock for every unaligned write and waits for it, so nothing is lost; the
// kernels since then lose bytes on a disk that carries the two writes out in this
// order. The tracer counts the pairs in flight. This is no promise of those kernels:
// a kernel that keeps the bytes is better, and then this test has to change.
func TestEOFTail(t *testing.T) {
	need(t)
	t.Parallel()
	for _, k := range []struct {
		name string
		lost bool
	}{
		{"debian-6.1", false},
		{"series-base", true},
		{"series-patch5", true},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			spec := kernelSpec(t, k.name)
			dir := t.TempDir()
			out, stderr, status := guest(t, spec, "--share", "testdata", "--out", dir, "--null-blk", "256M", "--latency", "50ms", "--mkfs", "-b 4096",
				"--append", "null_blk.hw_queue_depth=1", "--", "live", "--plain", "--summary", "/out/summary.json", "--", "sh", "/share/eoftail.sh")
			if status != 0 {
				t.Fatalf("live ended with %d:\n%s\n%s", status, out, stderr)
			}
			if lost := !strings.Contains(stderr+out, "; 0 bytes of the extending write were lost"); lost != k.lost {
				t.Errorf("bytes lost: %v, want %v:\n%s", lost, k.lost, stderr)
			}
			raw, err := os.ReadFile(filepath.Join(dir, "summary.json"))
			if err != nil {
				t.Fatal(err)
			}
			var s struct{ Overlaps struct{ EOF uint64 } }
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			if got := s.Overlaps.EOF > 0; got != k.lost {
				t.Errorf("%d overlapping pairs were counted:\n%s", s.Overlaps.EOF, raw)
			}
		})
	}
}
