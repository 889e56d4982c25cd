package export

import (
	"os"
	"strconv"
	"syscall"
)

// maxScan bounds the open files of one process that are looked at.
const maxScan = 4096

// scanOpenFiles lists the regular files that a process has open.
func scanOpenFiles(pid uint32) []openFile {
	dir := "/proc/" + strconv.FormatUint(uint64(pid), 10) + "/fd"
	d, err := os.Open(dir)
	if err != nil {
		return nil // the process has ended
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxScan)
	var out []openFile
	for _, name := range names {
		link := dir + "/" + name
		path, err := os.Readlink(link)
		if err != nil || path == "" || path[0] != '/' {
			continue // closed meanwhile, or a pipe or socket
		}
		var st syscall.Stat_t
		if syscall.Stat(link, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
			continue
		}
		out = append(out, openFile{FileID{KernelDev(st.Dev), st.Ino}, path})
	}
	return out
}

// KernelDev turns a device number as stat(2) gives it into the kernel's dev_t
// as the records hold it: major<<20 | minor.
func KernelDev(dev uint64) uint32 {
	major := dev>>8&0xfff | dev>>32&^0xfff
	minor := dev&0xff | dev>>12&^0xff
	return uint32(major<<20 | minor&(1<<20-1))
}
