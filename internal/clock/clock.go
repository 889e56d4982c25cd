// Package clock reads the clocks of the kernel that package time does not offer. They
// are always there, so that reading them cannot fail.
package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic is CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns, in nanoseconds.
func Monotonic() uint64 { return uint64(read(unix.CLOCK_MONOTONIC)) }

// Thread is the CPU time that the calling thread has used, in user mode and in the kernel.
func Thread() time.Duration { return time.Duration(read(unix.CLOCK_THREAD_CPUTIME_ID)) }

func read(clock int32) int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(clock, &ts)
	return ts.Nano()
}
