package target

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

// machine is a made-up system: /dev/sda is a free disk, /dev/sdb one with two
// partitions.
type machine struct{ fstest.MapFS }

func newMachine() machine {
	m := machine{fstest.MapFS{
		"proc/self/mountinfo": text("22 1 253:0 / / rw - ext4 /dev/vda rw\n"),
		"proc/swaps":          text("Filename Type Size Used Priority\n"),
		"dev/null":            node(fs.ModeDevice|fs.ModeCharDevice, 1, 3),
		"etc/fstab":           text(""),
		"dev/disk/by-id/x":    link("../../sda"),
	}}
	m.device("sda", "sda", "8:0", 8, 0)
	m.device("sdb", "sdb", "8:16", 8, 16)
	m.device("sdb1", "sdb/sdb1", "8:17", 8, 17)
	m.device("sdb2", "sdb/sdb2", "8:18", 8, 18)
	m.MapFS["sys/devices/scsi/block/sdb/sdb1/partition"] = text("1\n")
	m.MapFS["sys/devices/scsi/block/sdb/sdb2/partition"] = text("2\n")
	return m
}

// device adds a block device of 2 GiB whose folder in sysfs is at.
func (m machine) device(name, at, dev string, major, minor uint32) {
	at = "sys/devices/scsi/block/" + at
	m.MapFS["dev/"+name] = node(fs.ModeDevice, major, minor)
	m.MapFS["sys/dev/block/"+dev] = link("../../devices/scsi/block/" + strings.TrimPrefix(at, "sys/devices/scsi/block/"))
	m.MapFS[at+"/dev"] = text(dev + "\n")
	m.MapFS[at+"/size"] = text("4194304\n")
	m.MapFS[at+"/ro"] = text("0\n")
	m.MapFS[at+"/holders"] = dir()
	m.MapFS[at+"/device/model"] = text("Fast Disk       \n")
	m.MapFS[at+"/device/vendor"] = text("ACME    \n")
	m.MapFS[at+"/device/vpd_pg80"] = text("\x00\x80\x00\x04 S42")
}

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func node(mode fs.FileMode, major, minor uint32) *fstest.MapFile {
	return &fstest.MapFile{Mode: mode | 0o600, Sys: &syscall.Stat_t{Rdev: unix.Mkdev(major, minor)}}
}

func dir() *fstest.MapFile { return &fstest.MapFile{Mode: fs.ModeDir | 0o755} }

const sda = "sys/devices/scsi/block/sda"

func TestInspect(t *testing.T) {
	got, err := Inspect(newMachine(), "/dev/sda")
	if err != nil {
		t.Fatal(err)
	}
	want := Disk{Path: "/dev/sda", Major: 8, Size: 2 << 30, Model: "Fast Disk", Vendor: "ACME", Serial: "S42"}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	// A partition that nobody uses is a device like any other; what it is comes
	// from its disk.
	got, err = Inspect(newMachine(), "/dev/sdb2")
	if err != nil {
		t.Fatal(err)
	}
	want = Disk{Path: "/dev/sdb2", Major: 8, Minor: 18, Size: 2 << 30, Model: "Fast Disk", Vendor: "ACME", Serial: "S42"}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

// Each case changes the free disk, or one that was free, in one thing.
func TestInspectRefuses(t *testing.T) {
	for _, c := range []struct {
		name, device, want string
		change             map[string]*fstest.MapFile
	}{
		{"character device", "/dev/null", "/dev/null is no block device", nil},
		{"regular file", "/etc/fstab", "/etc/fstab is no block device", nil},
		{"folder", "/dev", "/dev is no block device", nil},
		{"nothing", "/dev/sdz", "cannot be looked at", nil},
		{"relative", "dev/sda", "no absolute path", nil},
		{"symbolic link", "/dev/disk/by-id/x", "is a symbolic link to /dev/sda; name the device itself", nil},
		{"partitions", "/dev/sdb", "has partitions: sdb1, sdb2", nil},
		{"mounted", "/dev/sda", "is mounted on /home/a b", files("proc/self/mountinfo", "30 1 8:0 / /home/a\\040b rw - ext4 /dev/root rw\n")},
		{"mounted by source", "/dev/sda", "is mounted on /data", files("proc/self/mountinfo", "30 1 0:40 / /data rw - btrfs /dev/sda rw\n")},
		{"mounted by link", "/dev/sda", "is mounted on /data", files("proc/self/mountinfo", "30 1 0:40 / /data rw shared:1 - btrfs /dev/disk/by-id/x rw\n")},
		{"mounted elsewhere", "/dev/sda", "is mounted on /m in the mount namespace of process 17", files("proc/17/mountinfo", "30 1 8:0 / /m rw - ext4 /dev/sda rw\n")},
		{"partition mounted", "/dev/sdb1", "is mounted on /m", files("proc/self/mountinfo", "30 1 8:17 / /m rw - ext4 /dev/x rw\n")},
		{"its disk mounted", "/dev/sdb1", "is mounted on /m", files("proc/self/mountinfo", "30 1 8:16 / /m rw - ext4 /dev/x rw\n")},
		{"swap", "/dev/sda", "is swap", files("proc/swaps", "Filename\n/dev/sda partition 1 0 -2\n")},
		{"swap by link", "/dev/sda", "is swap", files("proc/swaps", "Filename\n/dev/disk/by-id/x partition 1 0 -2\n")},
		{"holder", "/dev/sda", "is held by dm-0 (vg-root)", map[string]*fstest.MapFile{
			sda + "/holders/dm-0": link("../../dm-0"), "sys/block/dm-0/dm/name": text("vg-root\n"),
		}},
		{"its disk held", "/dev/sdb2", "is held by md0", map[string]*fstest.MapFile{"sys/devices/scsi/block/sdb/holders/md0": dir()}},
		{"read-only", "/dev/sda", "is read-only", files(sda+"/ro", "1\n")},
		{"small", "/dev/sda", "has 255 MiB; at least 256 MiB are needed", files(sda+"/size", "524286\n")},
		{"no size", "/dev/sda", "does not tell its size", files(sda+"/size", "")},
		{"no mountinfo", "/dev/sda", "cannot be found out what is mounted", map[string]*fstest.MapFile{"proc/self/mountinfo": dir()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine()
			for name, f := range c.change {
				m.MapFS[name] = f
			}
			_, err := Inspect(m, c.device)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Msg, c.want) {
				t.Errorf("got %v, want a refusal with %q", err, c.want)
			}
		})
	}
}

func files(name, content string) map[string]*fstest.MapFile {
	return map[string]*fstest.MapFile{name: text(content)}
}
