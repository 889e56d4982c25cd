package session

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// getVersion is FS_IOC_GETVERSION where long has 64 bits.
const getVersion = 0x80087601

// generationOf is the generation of a file on ext4: its number can be given to another file,
// which has another generation.
func generationOf(path string, dev uint32, ino uint64) (uint32, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		var generation uint32
		generation, err = unix.IoctlGetUint32(fd, getVersion)
		unix.Close(fd)
		if err == nil {
			return generation, nil
		}
	}
	return 0, hint.Usagef(fmt.Sprintf("--dev %s --ino %d for whichever file has that number", export.DevName(dev), ino),
		"--path %s: it cannot be told from a later file of its number: %v", path, err)
}
