package kernelvm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

const (
	mainDisk  = "/dev/sda"
	shareDisk = "/dev/sdb"
	nullDisk  = "/dev/nullb0"
	// diskPatience is how long a disk may take to appear.
	diskPatience = 30 * time.Second
)

// prepareDisk finds the disks and mounts what is wanted. Disks are scanned one
// after the other (scsi_mod.scan=manual), so that names are certain.
func prepareDisk(cfg *guestConfig) error {
	if err := scanLUN(0, mainDisk); err != nil {
		return err
	}
	if cfg.Share {
		if err := scanLUN(1, shareDisk); err != nil {
			return err
		}
		if err := mountExt4(shareDisk, guestShare, unix.MS_RDONLY|unix.MS_NODEV); err != nil {
			return err
		}
	}
	disk, err := mainDisk, error(nil)
	switch {
	case cfg.NullBlk != nil:
		disk = nullDisk
		err = fillNullDisk(cfg.NullBlk)
	case cfg.DelayMS > 0:
		disk, err = delayDisk(mainDisk, cfg.DelayMS)
	}
	if err != nil || !cfg.Mount {
		return err
	}
	return mountExt4(disk, guestMount, 0)
}

// mountExt4 mounts disk on dir.
func mountExt4(disk, dir string, flags uintptr) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := unix.Mount(disk, dir, "ext4", flags, "")
	switch {
	case errors.Is(err, unix.ENODEV):
		return hint.Unfitf("build it in, or give its modules with --modules DIR", "this kernel has no ext4")
	case errors.Is(err, unix.EINVAL):
		return hint.Unfitf("check the options given to --mkfs", "this kernel cannot mount the ext4 of %s", disk)
	case err != nil:
		return fmt.Errorf("mount %s on %s: %w", disk, dir, err)
	}
	return nil
}

// scanLUN makes the kernel look for one disk and waits for its node.
func scanLUN(lun int, node string) error {
	host := ""
	for end := time.Now().Add(diskPatience); host == ""; time.Sleep(2 * time.Millisecond) {
		if host = virtioHost(); host == "" && time.Now().After(end) {
			return hint.Unfitf("it needs VIRTIO_PCI, SCSI_VIRTIO and BLK_DEV_SD, built in or as modules (--modules DIR)",
				"this kernel finds no virtio SCSI disk")
		}
	}
	if err := os.WriteFile(filepath.Join(host, "scan"), fmt.Appendf(nil, "0 0 %d", lun), 0); err != nil {
		return fmt.Errorf("scan for %s: %w", node, err)
	}
	return waitNode(node)
}

// waitNode waits until a disk's node is there and can be opened.
func waitNode(node string) error {
	for end := time.Now().Add(diskPatience); ; time.Sleep(2 * time.Millisecond) {
		f, err := os.Open(node)
		if err == nil {
			return f.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("no disk appeared within %v: %w", diskPatience, err)
		}
	}
}

// virtioHost finds the SCSI host of the machine's disks in sysfs.
func virtioHost() string {
	hosts, _ := filepath.Glob("/sys/class/scsi_host/host*")
	for _, h := range hosts {
		if sysfsString(h, "proc_name") == "virtio_scsi" {
			return h
		}
	}
	return ""
}

// fillNullDisk copies the file system that the host made to the memory-backed
// disk, which is all zero at first.
func fillNullDisk(extents [][2]int64) error {
	if err := waitNode(nullDisk); err != nil {
		return hint.Unfitf("leave --null-blk out, or build null_blk in or as a module", "this kernel has no null_blk")
	}
	// A busy host can keep the whole guest waiting for longer than the 30 seconds after
	// which a request fails. It is a help, no more: no error without it.
	_ = os.WriteFile("/sys/block/"+filepath.Base(nullDisk)+"/queue/io_timeout", []byte("600000"), 0)
	from, err := os.Open(mainDisk)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(nullDisk, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, x := range extents {
		_, err = io.Copy(io.NewOffsetWriter(to, x[0]), io.NewSectionReader(from, x[0], x[1]))
		if err != nil {
			break
		}
	}
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copy the file system to %s: %w", nullDisk, err)
	}
	return nil
}
