package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// readerNice is the nice value of the two threads between the ring buffer and the
// output. Among more writers than CPUs they would otherwise get a writer's share of
// the time, and the ring buffer overflows.
const readerNice = -10

// hurry binds the calling goroutine to its thread and lets that go before others. The
// traced command is started by another thread and does not inherit it. Where it is not
// allowed, nothing changes.
func hurry() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, readerNice)
}
