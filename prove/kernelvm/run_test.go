package kernelvm

import (
	"testing"
	"time"
)

func TestWatchdog(t *testing.T) {
	start := time.Unix(1000, 0)
	w := watchdog{seen: start}
	for n, want := range []time.Duration{0, 0, time.Second, 2 * time.Second, 0} {
		count := []uint64{1, 2, 2, 2, 3}[n]
		if got := w.silent(start.Add(time.Duration(n)*time.Second), count); got != want {
			t.Errorf("second %d: silent for %v, want %v", n, got, want)
		}
	}
}
