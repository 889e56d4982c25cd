package target

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
)

// label is the volume label of the file systems that are made here.
const label = "ext4dio-validate"

// Content is what is on a disk.
type Content struct {
	Text    string // for people; "nothing known" when no signature is known
	Foreign bool   // something that is neither an ext4 nor ours
}

// signature is a magic value at a fixed position.
type signature struct {
	name  string
	at    int64 // from the start; from the end when negative
	magic string
}

// signatures are the magic values of what disks hold, from the formats' own
// descriptions. Partition tables and stacks come before the file systems, as
// they may hold a file system's superblock by chance.
var signatures = []signature{
	{"a GUID partition table", 512, "EFI PART"},
	{"a GUID partition table", 4096, "EFI PART"},
	{"a GUID partition table", -512, "EFI PART"},
	{"a GUID partition table", -4096, "EFI PART"},
	{"LUKS encryption", 0, "LUKS\xba\xbe"},
	{"BitLocker encryption", 3, "-FVE-FS-"},
	{"an LVM volume", 0, "LABELONE"},
	{"an LVM volume", 512, "LABELONE"},
	{"an LVM volume", 1024, "LABELONE"},
	{"an LVM volume", 1536, "LABELONE"},
	{"a part of an md array", 0, "\xfc\x4e\x2b\xa9"},
	{"a part of an md array", 4096, "\xfc\x4e\x2b\xa9"},
	{"a part of an md array", -8192, "\xfc\x4e\x2b\xa9"},
	{"a part of an md array", -65536, "\xfc\x4e\x2b\xa9"},
	{"a bcache", 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"},
	{"a Ceph store", 0, "bluestore block device"},
	{"an XFS", 0, "XFSB"},
	{"a Btrfs", 65536 + 64, "_BHRfS_M"},
	{"an F2FS", 1024, "\x10\x20\xf5\xf2"},
	{"an EROFS", 1024, "\xe2\xe1\xf5\xe0"},
	{"a squashfs", 0, "hsqs"},
	{"an NTFS", 3, "NTFS    "},
	{"an exFAT", 3, "EXFAT   "},
	{"a FAT", 54, "FAT"},
	{"a FAT", 82, "FAT32"},
	{"an ISO 9660", 32769, "CD001"},
	{"a ZFS pool", 135168, "\x0c\xb1\xba\x00"},
	{"swap", 4096 - 10, "SWAPSPACE2"},
	{"swap", 8192 - 10, "SWAPSPACE2"},
	{"swap", 16384 - 10, "SWAPSPACE2"},
	{"swap", 65536 - 10, "SWAPSPACE2"},
	{"a partition table", 510, "\x55\xaa"},
}

// position is where the magic value lies on a disk of size bytes. The superblocks
// of md at the end are aligned.
func (s *signature) position(size int64) int64 {
	switch {
	case s.at >= 0:
		return s.at
	case s.at == -65536:
		return size&^65535 - 65536
	case s.at == -8192:
		return (size - 8192) &^ 4095
	}
	return size + s.at
}

// readContent looks for signatures on a disk of size bytes.
func readContent(r io.ReaderAt, size int64) (Content, error) {
	for _, s := range signatures {
		at := s.position(size)
		got := make([]byte, len(s.magic))
		if at < 0 || at+int64(len(got)) > size {
			continue
		}
		if _, err := r.ReadAt(got, at); err != nil && !errors.Is(err, io.EOF) {
			return Content{}, fmt.Errorf("read what is on it: %w", err)
		}
		if string(got) == s.magic {
			return Content{Text: s.name, Foreign: true}, nil
		}
	}
	return readExt(r)
}

// readExt looks for the superblock of ext2, ext3 or ext4 (struct
// ext4_super_block in fs/ext4/ext4.h).
func readExt(r io.ReaderAt) (Content, error) {
	sb := make([]byte, 256)
	if _, err := r.ReadAt(sb, ext4fs.SuperOffset); err != nil && !errors.Is(err, io.EOF) {
		return Content{}, fmt.Errorf("read what is on it: %w", err)
	}
	if !ext4fs.IsSuper(sb) {
		return Content{Text: "nothing known"}, nil
	}
	name := string(bytes.TrimRight(sb[0x78:0x88], "\x00"))
	switch {
	case name == label:
		return Content{Text: "an ext4 of an earlier run"}, nil
	case name == "":
		return Content{Text: "an ext4 without a name"}, nil
	}
	return Content{Text: fmt.Sprintf("an ext4 named %q", strings.ToValidUTF8(name, "?"))}, nil
}
