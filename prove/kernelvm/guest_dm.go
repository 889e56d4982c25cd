package kernelvm

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// dmRequest is what a call of device mapper reads and writes.
type dmRequest struct {
	unix.DmIoctl
	target unix.DmTargetSpec
	params [64]byte // of the target; the rest is zero
}

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
	dev, err := dmCall(ctl, unix.DM_DEV_CREATE, dmRequest{})
	if err != nil {
		return "", fmt.Errorf("create a device-mapper disk: %w", err)
	}
	var table dmRequest
	table.Target_count = 1
	table.target.Length = sectors
	copy(table.target.Target_type[:], "delay")
	copy(table.params[:], fmt.Sprintf("%s 0 %d", disk, ms))
	_, err = dmCall(ctl, unix.DM_TABLE_LOAD, table)
	if errors.Is(err, unix.EINVAL) {
		return "", hint.Unfitf("use --null-blk SIZE with --latency", "this kernel has no dm-delay to add latency with")
	}
	if err != nil {
		return "", fmt.Errorf("set up dm-delay: %w", err)
	}
	// Without the flag DM_SUSPEND_FLAG it resumes.
	if _, err := dmCall(ctl, unix.DM_DEV_SUSPEND, dmRequest{}); err != nil {
		return "", fmt.Errorf("start dm-delay: %w", err)
	}
	node := fmt.Sprintf("/dev/dm-%d", unix.Minor(dev))
	return node, waitNode(node)
}

// dmCall makes one call for our only disk and returns its number.
func dmCall(ctl *os.File, cmd uintptr, r dmRequest) (dev uint64, err error) {
	r.Version[0] = unix.DM_VERSION_MAJOR
	r.Data_size, r.Data_start = uint32(unsafe.Sizeof(r)), unix.SizeofDmIoctl
	copy(r.Name[:], "slow")
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, ctl.Fd(), cmd, uintptr(unsafe.Pointer(&r)))
	if errno != 0 {
		return 0, errno
	}
	return r.Dev, nil
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
