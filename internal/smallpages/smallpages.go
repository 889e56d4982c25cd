// Package smallpages keeps the kernel from backing what this program has touched a few
// bytes of with huge pages, of 2 MB each: three of them were a seventh of all it has in
// memory. The heap is not among them, see disablethp in the Makefile.
package smallpages

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// The tables of go-runewidth, 2 MB of which most stay empty, are touched when that package is
// initialized. This one is so before: it needs no package that comes later than that one by
// its path.
func init() { Ask() }

// Ask asks for small pages in all private memory that is mapped now. Where the kernel does not
// know that, or says not what is mapped, all stays as it is.
func Ask() {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		if from, to, ok := private(line); ok {
			_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_NOHUGEPAGE)
		}
	}
}

// private reads a line of /proc/PID/maps; ok says that it is of memory to write, and of no file.
func private(line string) (from, to uintptr, ok bool) {
	f := strings.Fields(line)
	if len(f) < 5 || f[1] != "rw-p" || f[4] != "0" {
		return 0, 0, false
	}
	low, high, _ := strings.Cut(f[0], "-")
	a, err := strconv.ParseUint(low, 16, 64)
	b, err2 := strconv.ParseUint(high, 16, 64)
	return uintptr(a), uintptr(b), err == nil && err2 == nil
}
