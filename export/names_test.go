package export

import "testing"

func TestNumbers(t *testing.T) {
	for ns, want := range map[uint64]string{
		0: "0", 7: "7ns", 999: "999ns", 1000: "1.00us", 12_345: "12.3us", 99_950: "100us", 999_499: "999us", 999_500: "1.00ms",
		45_600_000: "45.6ms", 999_500_000: "1.00s", 61_000_000_000: "61.0s", 4_000_000_000_000: "4000s",
	} {
		if got := Duration(ns); got != want {
			t.Errorf("Duration(%d) = %s, want %s", ns, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 12.4: "12", 999.4: "999", 999.6: "1.00k", 45_600: "45.6k", 999_499: "999k", 1_250_000: "1.25M"} {
		if got := Amount(v); got != want {
			t.Errorf("Amount(%v) = %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 1023: "1023", 1024: "1.00K", 1 << 40: "1.00T", 1<<20 - 1: "1.00M"} {
		if got := string(appendBinary(nil, n)); got != want {
			t.Errorf("appendBinary(%d) = %s, want %s", n, got, want)
		}
	}
	for ret, want := range map[int64]string{4096: "4096", 0: "0", -11: "-EAGAIN", -529: "-EIOCBQUEUED", -1000: "-1000"} {
		if got := Result(ret); got != want {
			t.Errorf("Result(%d) = %s, want %s", ret, got, want)
		}
	}
}

// TestKiFlags: the bits are those of the names.
func TestKiFlags(t *testing.T) {
	for name, want := range map[string]uint32{"DSYNC": KiDSync, "SYNC": KiSync, "NOWAIT": KiNowait, "APPEND": KiAppend, "none": 0} {
		if got := KiFlag(name); got != want {
			t.Errorf("%s is %#x, want %#x", name, got, want)
		}
	}
}
