package ext4fs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// SuperOffset is where the super block lies on the device, bytes.
const SuperOffset = 1024

// What is read of the super block, bytes. The fields are those of struct
// ext4_super_block.
const (
	superSize = 1024

	offLogBlockSize = 0x18
	offMountTime    = 0x2c // s_mtime
	offMountCount   = 0x34 // s_mnt_count
	offMagic        = 0x38
	offCompat       = 0x5c
	offIncompat     = 0x60
	offROCompat     = 0x64
	offUUID         = 0x68

	superMagic = 0xef53
)

// The names are those of mkfs.ext4 -O.
var (
	compatNames = map[int]string{
		0: "dir_prealloc", 1: "imagic_inodes", 2: "has_journal", 3: "ext_attr", 4: "resize_inode", 5: "dir_index",
		9: "sparse_super2", 10: "fast_commit", 11: "stable_inodes", 12: "orphan_file",
	}
	incompatNames = map[int]string{
		0: "compression", 1: "filetype", 2: "needs_recovery", 3: "journal_dev", 4: "meta_bg", 6: "extent", 7: "64bit", 8: "mmp",
		9: "flex_bg", 10: "ea_inode", 12: "dirdata", 13: "metadata_csum_seed", 14: "large_dir", 15: "inline_data", 16: "encrypt", 17: "casefold",
	}
	roCompatNames = map[int]string{
		0: "sparse_super", 1: "large_file", 3: "huge_file", 4: "uninit_bg", 5: "dir_nlink", 6: "extra_isize", 8: "quota", 9: "bigalloc",
		10: "metadata_csum", 12: "read-only", 13: "project", 15: "verity", 16: "orphan_present",
	}
)

// IsSuper tells whether b begins as the super block of an ext2, ext3 or ext4 does.
func IsSuper(b []byte) bool {
	return len(b) >= offMagic+2 && binary.LittleEndian.Uint16(b[offMagic:]) == superMagic
}

// superInstance is the same as long as a file system stays mounted: each mount that may
// write changes it (ext4_setup_super), and so does mkfs.
func superInstance(b []byte) string {
	return string(b[offUUID:offUUID+16]) + string(b[offMountTime:offMountTime+4]) + string(b[offMountCount:offMountCount+2])
}

var errNoSuper = errors.New("no ext4 super block")

// parseSuper reads the block size, bytes, and the names of the features. A bit without
// a name is given by its number.
func parseSuper(b []byte) (blockSize int, features []string, err error) {
	le := binary.LittleEndian
	if len(b) < superSize || !IsSuper(b) {
		return 0, nil, errNoSuper
	}
	log := le.Uint32(b[offLogBlockSize:])
	if log > 6 {
		return 0, nil, fmt.Errorf("%w: block size 1024 << %d", errNoSuper, log)
	}
	features = []string{}
	for _, set := range []struct {
		word  string
		at    int
		names map[int]string
	}{{"compat", offCompat, compatNames}, {"incompat", offIncompat, incompatNames}, {"ro_compat", offROCompat, roCompatNames}} {
		bits := le.Uint32(b[set.at:])
		for i := range 32 {
			if bits&(1<<i) == 0 {
				continue
			}
			name := set.names[i]
			if name == "" {
				name = fmt.Sprintf("%s:%d", set.word, i)
			}
			features = append(features, name)
		}
	}
	return 1024 << log, features, nil
}
