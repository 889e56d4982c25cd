package matrix

import (
	"regexp"
	"testing"
)

// TestDevice: validate makes a file system for each configuration on /dev/sda,
// carries out what is written down, and e2fsck finds each clean.
func TestDevice(t *testing.T) {
	need(t)
	const configs = "4k,1k,ext3,bigalloc_4k,dioread_nolock,nojournal,inline_data,adv"
	out, stderr, status := guest(t, image(t, "series-patch5"), "--", "validate", "--device", "/dev/sda", "--destroy-data", "--yes", "--config", configs)
	if status != 0 {
		t.Fatalf("validate ended with %d:\n%s\n%s", status, out, stderr)
	}
	clean := regexp.MustCompile(`(?m)^(\S+) +[1-9][0-9]* +0 +[0-9]+  clean$`).FindAllStringSubmatch(out, -1)
	if len(clean) != 8 {
		t.Errorf("%d configurations passed and are clean, want 8:\n%s", len(clean), out)
	}
}
