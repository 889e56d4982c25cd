// Package kernelvm boots a Linux kernel in QEMU and runs one command inside it,
// with the calling program's own binary as the guest's first process.
//
// The guest has a SCSI disk /dev/sda with ext4 on /mnt. The command's input,
// output, signals, window size and exit status are those of the caller: data
// travels in shared memory (an ivshmem device, which every kernel with PCI can
// map), and a serial port only carries wake-ups. The kernel's console is kept
// apart and shown when a run ends without an exit status.
//
// The package must never leave a QEMU process or a temporary file behind, write
// outside the caller's cache and --out folders, or need root.
package kernelvm
