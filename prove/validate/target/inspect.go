package target

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// MinSize is the least size of a disk, bytes: every configuration fits.
const MinSize = 256 << 20

// Disk is what the kernel tells of a block device.
type Disk struct {
	Path         string // /dev/sda
	Major, Minor uint32
	Size         int64  // bytes
	Model        string // of the whole disk; these three may be empty
	Vendor       string
	Serial       string
}

// inspector looks at one block device. root is the system's file system, or a
// made-up one in tests.
type inspector struct {
	root fs.FS
	d    *Disk
	sys  string   // its folder in sysfs
	devs []string // "M:m" of the device and, for a partition, of its disk
}

// Inspect finds out whether the block device with this name may be written to,
// without opening it. root is the root directory. An error that is a
// *RefusedError says why not.
func Inspect(root fs.FS, name string) (*Disk, error) {
	i := &inspector{root: root, d: &Disk{Path: name}}
	for _, check := range []func() error{
		i.node, i.describe, i.partitions, i.holders, i.mounts, i.swaps, i.writable, i.large,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return i.d, nil
}

// rel turns an absolute path into one of an fs.FS.
func rel(name string) string { return strings.TrimPrefix(path.Clean(name), "/") }

// node looks at the name itself.
func (i *inspector) node() error {
	name := i.d.Path
	if !path.IsAbs(name) {
		return refusef("", "%s is no absolute path of a block device", name)
	}
	st, err := fs.Lstat(i.root, rel(name))
	if err != nil {
		return refusef("", "%s cannot be looked at: %v", name, err)
	}
	switch mode := st.Mode(); {
	case mode&fs.ModeSymlink != 0:
		to, err := fs.ReadLink(i.root, rel(name))
		if err != nil {
			return refusef("", "%s is a symbolic link", name)
		}
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(name), to)
		}
		return refusef("--device "+to, "%s is a symbolic link to %s; name the device itself", name, to)
	case !isBlock(mode):
		return refusef("--image FILE makes an image of its own", "%s is no block device", name)
	}
	var dev string
	if i.d.Major, i.d.Minor, dev = number(st); dev == "" {
		return refusef("", "the device number of %s is not known", name)
	}
	i.sys, i.devs = "sys/dev/block/"+dev, []string{dev}
	return nil
}

func isBlock(mode fs.FileMode) bool { return mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0 }

// number is a device's, and as sysfs writes it: "M:m", or "" when it is not known.
func number(st fs.FileInfo) (major, minor uint32, dev string) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, ""
	}
	major, minor = unix.Major(sys.Rdev), unix.Minor(sys.Rdev)
	return major, minor, fmt.Sprintf("%d:%d", major, minor)
}

// text reads a one-line file of sysfs, "" when it is not there.
func (i *inspector) text(name string) string {
	b, err := fs.ReadFile(i.root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// large is the last question: that a disk is in use matters more.
func (i *inspector) large() error {
	if i.d.Size < MinSize {
		return refusef("", "%s has %s; at least %s are needed", i.d.Path, sizeText(i.d.Size), sizeText(MinSize))
	}
	return nil
}

// describe reads what the disk is and how large.
func (i *inspector) describe() error {
	size, err := strconv.ParseInt(i.text(i.sys+"/size"), 10, 64)
	if err != nil {
		return refusef("", "%s: sysfs does not tell its size", i.d.Path)
	}
	i.d.Size = size * 512 // sysfs counts in this unit whatever the disk has
	whole := i.sys
	if i.text(i.sys+"/partition") != "" {
		link, err := fs.ReadLink(i.root, i.sys)
		whole = path.Dir(path.Join("sys/dev/block", link))
		dev := i.text(whole + "/dev")
		if err != nil || dev == "" {
			return refusef("", "%s: sysfs does not tell the disk of this partition", i.d.Path)
		}
		i.devs = append(i.devs, dev)
	}
	i.d.Model, i.d.Vendor = i.text(whole+"/device/model"), i.text(whole+"/device/vendor")
	if i.d.Serial = i.text(whole + "/device/serial"); i.d.Serial == "" {
		i.d.Serial = unitSerial(i.root, whole)
	}
	return nil
}

// unitSerial reads a SCSI disk's serial number from its page 0x80: four bytes of
// header, then text.
func unitSerial(root fs.FS, whole string) string {
	b, err := fs.ReadFile(root, whole+"/device/vpd_pg80")
	if err != nil || len(b) < 4 {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(b[4:]), "\x00"))
}

// partitions refuses a disk that is divided.
func (i *inspector) partitions() error {
	entries, err := fs.ReadDir(i.root, i.sys)
	if err != nil {
		return refusef("", "%s: sysfs cannot be read: %v", i.d.Path, err)
	}
	var parts []string
	for _, e := range entries {
		if _, err := fs.Stat(i.root, i.sys+"/"+e.Name()+"/partition"); err == nil {
			parts = append(parts, e.Name())
		}
	}
	if len(parts) > 0 {
		return refusef("name a disk without partitions, or one unused partition",
			"%s has partitions: %s", i.d.Path, strings.Join(parts, ", "))
	}
	return nil
}

// holders refuses what is a part of a dm, md or LVM device.
func (i *inspector) holders() error {
	for _, dev := range i.devs {
		entries, err := fs.ReadDir(i.root, "sys/dev/block/"+dev+"/holders")
		if err != nil {
			return refusef("", "%s: sysfs does not tell what holds it: %v", i.d.Path, err)
		}
		var names []string
		for _, e := range entries {
			name := e.Name()
			if dm := i.text("sys/block/" + name + "/dm/name"); dm != "" {
				name += " (" + dm + ")"
			}
			names = append(names, name)
		}
		if len(names) > 0 {
			return refusef("", "%s is held by %s", i.d.Path, strings.Join(names, ", "))
		}
	}
	return nil
}

// writable refuses a disk that the kernel has set read-only.
func (i *inspector) writable() error {
	if ro := i.text(i.sys + "/ro"); ro != "0" {
		return refusef("blockdev --setrw "+i.d.Path, "%s is read-only", i.d.Path)
	}
	return nil
}

// sizeText words a number of bytes.
func sizeText(n int64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%d GiB", n>>30)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
