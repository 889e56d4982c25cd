package kernelvm

import "testing"

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "1k": 1 << 10, "512M": 512 << 20, "2G": 2 << 30, "1GiB": 1 << 30, "3gb": 3 << 30, " 1T ": 1 << 40, "7B": 7,
	} {
		if got, err := ParseSize(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "G", "-1", "1.5G", "1X", "99999999999G", "1 G B"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}
