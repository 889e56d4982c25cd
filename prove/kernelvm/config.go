package kernelvm

import (
	"cmp"
	"io"
	"os"
	"time"
)

// Kernel is a kernel that can be booted.
type Kernel struct {
	Image   string // path of a bzImage
	Vmlinux string // the same kernel as an ELF file with a PVH entry, which starts faster; "" for none
	Modules string // folder with its modules (lib/modules/VERSION), "" when everything needed is built in
	Name    string // for messages, for example "debian:sid/amd64 7.2.1-1"
}

// Config describes one run of a command in a guest. The zero value of every
// field but Kernel and Args is usable.
type Config struct {
	Kernel Kernel
	Args   []string // arguments of the guest's command, which is the running program
	Env    []string // NAME=value for the command, besides PATH and HOME
	Append string   // more kernel parameters, separated by spaces

	Stdin    io.Reader // nil: /dev/null; it may still be read from when Run has returned
	Stdout   io.Writer // nil: thrown away
	Stderr   io.Writer // nil: thrown away
	Terminal *os.File  // when set, the guest's terminal is this one; Stdin is not used then
	// TerminalStderr joins standard error with the terminal's output, as
	// terminals do. It is only looked at when Terminal is set.
	TerminalStderr bool
	// Signals are passed on to the command once it runs, and end the run before.
	// SIGWINCH passes the new size of Terminal on.
	Signals <-chan os.Signal

	CPUs   int      // default 2
	Memory int64    // bytes, default 1 GiB
	Disk   int64    // bytes, default 2 GiB
	Mkfs   []string // options for mkfs.ext4
	Image  string   // an ext4 image that takes the place of a new disk
	// WriteImage lets the guest change Image; without it, what it changes is thrown
	// away.
	WriteImage  bool
	NoMount     bool          // leave the disk unmounted
	NullBlk     int64         // bytes of a memory-backed disk that takes the place of the SCSI disk, 0 for none
	Latency     time.Duration // added to every request of the disk
	Share       string        // folder seen read-only at /share, "" for none
	Out         string        // folder that gets what the guest wrote to /out, "" for none
	Programs    []string      // programs that are copied into the guest with their libraries
	Modules     []string      // names of more modules to load
	MayLoad     []string      // names of modules to load where the kernel has them
	Timeout     time.Duration // for boot and command together, default 10 minutes, negative for none
	Console     io.Writer     // gets all that the guest's kernel says, may be nil
	NoKVM       bool          // always use software emulation
	CountTime   bool          // under software emulation: the guest's clock counts its instructions, one a nanosecond
	HostThreads bool          // under software emulation: a thread of the host for each CPU
}

// withDefaults fills what was left open.
func (c Config) withDefaults() Config {
	c.Memory = cmp.Or(c.Memory, 1<<30)
	c.Disk = cmp.Or(c.Disk, 2<<30)
	c.CPUs = cmp.Or(c.CPUs, 2)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Minute)
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	return c
}
