// Command ext4dio-trace shows, for every direct-I/O write on a live ext4, which
// lock the kernel chose and why, and judges it by a reference model.
package main

import (
	"os"

	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
)

func main() {
	if kernelvm.IsGuestInit() {
		kernelvm.GuestMain()
	}
	if tracee.IsHeld(os.Args) {
		if err := tracee.Become(os.Args); err != nil {
			note(os.Stderr, "%v", err)
		}
		os.Exit(tracee.ExitNotRun)
	}
	os.Exit(run(os.Args[1:], os.Stderr))
}
