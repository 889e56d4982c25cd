package smallpages

import (
	"os"
	"strings"
	"testing"
)

// TestAsk: the kernel says of all private memory that it gets no huge pages (nh).
func TestAsk(t *testing.T) {
	Ask()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	var line string
	asked, others := 0, 0
	for l := range strings.Lines(string(smaps)) {
		if flags, ok := strings.CutPrefix(l, "VmFlags:"); !ok {
			if strings.Contains(strings.SplitN(l, " ", 2)[0], "-") {
				line = l
			}
		} else if _, _, ok := private(line); ok && strings.Contains(flags, " nh") {
			asked++
		} else if ok {
			others++
			t.Log(line)
		}
	}
	// What the runtime maps between the two looks is not among them.
	if asked < 5 || others > 3 {
		t.Errorf("%d mappings without huge pages, %d with", asked, others)
	}
}

func TestPrivate(t *testing.T) {
	for _, c := range []struct {
		line string
		ok   bool
	}{
		{"0137d000-035df000 rw-p 00000000 00:00 0", true},
		{"7faead400000-7faeaf400000 rw-p 00000000 00:00 0                          [anon: Go: heap]", true},
		{"0124b000-0137d000 rw-p 00e4b000 00:03 28                                 /usr/bin/ext4dio-trace", false},
		{"7faef3c1d000-7faef3c1e000 rw-s 00000000 00:11 1055                       anon_inode:bpf-map", false},
		{"7faef3eb7000-7faef3eb9000 r-xp 00000000 00:00 0                          [vdso]", false},
		{"", false},
	} {
		if from, to, ok := private(c.line); ok != c.ok || ok && from >= to {
			t.Errorf("%q: %x-%x, %v", c.line, from, to, ok)
		}
	}
}
