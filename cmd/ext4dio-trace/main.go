// Command ext4dio-trace shows, for every direct-I/O write on a live ext4, which
// lock the kernel chose and why, and judges it by a reference model.
package main

import (
	"os"

	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
)

func main() {
	if kernelvm.IsGuestInit() {
		kernelvm.GuestMain()
	}
	if isHeld(os.Args) {
		os.Exit(runHeld(os.Args, os.Stderr))
	}
	os.Exit(run(os.Args[1:], os.Stderr))
}
