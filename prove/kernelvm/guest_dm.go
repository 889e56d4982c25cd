package kernelvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// Device mapper's ioctl interface, include/uapi/linux/dm-ioctl.h: every call is
// _IOWR(0xfd, command, struct dm_ioctl).
const (
	dmHeaderSize = 312 // sizeof(struct dm_ioctl)
	dmTargetSize = 40  // sizeof(struct dm_target_spec)
	dmCreate     = 0xc138fd03
	dmResume     = 0xc138fd06 // DM_DEV_SUSPEND without its flag
	dmLoad       = 0xc138fd09
)

// delayDisk puts dm-delay over disk and returns the slower disk's node.
func delayDisk(disk string, ms int64) (string, error) {
	ctl, err := os.OpenFile("/dev/mapper/control", os.O_RDWR, 0)
	if err != nil {
		return "", hint.Unfitf("use --null-blk SIZE with --latency", "this kernel has no device mapper to add latency with")
	}
	defer ctl.Close()
	sectors, err := diskSectors(disk)
	if err != nil {
		return "", fmt.Errorf("size of %s: %w", disk, err)
	}
	const name = "slow"
	out, err := dmCall(ctl, dmCreate, name, 0, nil)
	if err != nil {
		return "", fmt.Errorf("create a device-mapper disk: %w", err)
	}
	dev := binary.NativeEndian.Uint64(out[40:]) // dm_ioctl.dev
	target := make([]byte, dmTargetSize)
	binary.NativeEndian.PutUint64(target[8:], sectors)
	copy(target[24:], "delay")
	target = append(target, fmt.Sprintf("%s 0 %d\x00", disk, ms)...)
	target = append(target, make([]byte, -len(target)&7)...)
	_, err = dmCall(ctl, dmLoad, name, 1, target)
	if errors.Is(err, unix.EINVAL) {
		return "", hint.Unfitf("use --null-blk SIZE with --latency", "this kernel has no dm-delay to add latency with")
	}
	if err != nil {
		return "", fmt.Errorf("set up dm-delay: %w", err)
	}
	if _, err := dmCall(ctl, dmResume, name, 0, nil); err != nil {
		return "", fmt.Errorf("start dm-delay: %w", err)
	}
	node := fmt.Sprintf("/dev/dm-%d", unix.Minor(dev))
	return node, waitNode(node)
}

// dmCall makes one call and returns the header that the kernel filled.
func dmCall(ctl *os.File, cmd uintptr, name string, targets uint32, payload []byte) ([]byte, error) {
	buf := make([]byte, dmHeaderSize+len(payload))
	e := binary.NativeEndian
	e.PutUint32(buf[0:], 4) // the interface's major version
	e.PutUint32(buf[12:], uint32(len(buf)))
	e.PutUint32(buf[16:], dmHeaderSize)
	e.PutUint32(buf[20:], targets)
	copy(buf[48:176], name)
	copy(buf[dmHeaderSize:], payload)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, ctl.Fd(), cmd, uintptr(unsafe.Pointer(&buf[0])))
	if errno != 0 {
		return nil, errno
	}
	return buf, nil
}

// diskSectors is a disk's size in units of 512 bytes.
func diskSectors(disk string) (uint64, error) {
	f, err := os.Open(disk)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	size, err := f.Seek(0, 2)
	return uint64(size) / 512, err
}
