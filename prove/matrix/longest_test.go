package matrix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestFieldLongest: one write of 258 MB over 264,192 blocks of 1 KiB, written and unwritten
// in turn, is whole and judged. It takes minutes without KVM: make test-field.
func TestFieldLongest(t *testing.T) {
	if os.Getenv("EXT4DIO_TEST_FIELD") == "" {
		t.Skip("takes minutes; run with EXT4DIO_TEST_FIELD=1")
	}
	dir := t.TempDir()
	out, stderr, status := guest(t, kernelSpec(t, "debian-sid"), "--mkfs", "-b 1024", "--mem", "1500M", "--out", dir, "--",
		"live", "--json", "--summary", "/out/s.json", "--", "ext4dio-trace", "workload", "fragments", "--dir", "/mnt", "--writes", "1", "--file-size", "270532608")
	raw, err := os.ReadFile(filepath.Join(dir, "s.json"))
	if err != nil {
		t.Fatalf("%v; live ended with %d:\n%s\n%s", err, status, out, stderr)
	}
	var s summary
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if status != 0 || s.Seen != 1 || s.Verdicts["agree"] != 1 || s.Incomplete+s.InPart > 0 {
		t.Errorf("status %d: %s\n%s", status, raw, stderr)
	}
}
