package fstests

import (
	"strings"
	"testing"
)

// What a test needs is asked for once, by what its lines use; comments use nothing.
func TestScript(t *testing.T) {
	test := Test{
		Number: 7, BlockSize: 1024, Mkfs: "-O ^extents", Mount: "nodelalloc",
		Body: []string{
			"", "# chattr +j and \"fpunch 0 1k\" in words", `must xfs_io -c "falloc -k 0 4k" "$f"`, "must chattr -e \"$f\"",
			`touch "$f" && xfs_io -d -c "pwrite -q -N -V 1 -S 0x41 0 1k" "$f" || :`, `for try in 1 2; do xfs_io -c "fsync" "$f" && break; done || :`,
			`xfs_io -d -c "pwrite -q -S 0x42 0 1k" "$f" || exit 1`,
		},
		Files: []File{{Word: `"$f"`, Content: &Content{}}},
	}
	text := string(test.Script())
	_, text, _ = strings.Cut(text, "_require_odirect 512\n")
	const want = `_require_xfs_io_command "falloc" "-k"
_require_xfs_io_command "pwrite" "-N"
_require_command "$CHATTR_PROG" chattr

MKFS_OPTIONS="$MKFS_OPTIONS -O ^extents"
_scratch_mkfs_blocksized 1024 >> $seqres.full 2>&1 || _fail "mkfs failed"
_scratch_mount "-o nodelalloc"

# chattr +j and "fpunch 0 1k" in words
$XFS_IO_PROG -c "falloc -k 0 4k" "$f"
$CHATTR_PROG -e "$f"
touch "$f" && $XFS_IO_PROG -d -c "pwrite -q -N -V 1 -S 0x41 0 1k" "$f" >> $seqres.full 2>&1
for try in 1 2; do $XFS_IO_PROG -c "fsync" "$f" && break; done >> $seqres.full 2>&1
$XFS_IO_PROG -d -c "pwrite -q -S 0x42 0 1k" "$f"

# What is on the disk now, not what is in the page cache.
_scratch_cycle_mount "nodelalloc"
stat -c %s "$f"
_hexdump "$f"

# success, all done
_exit 0
`
	if text != want {
		t.Errorf("%s", text)
	}
	if got := string(test.Golden()); got != "QA output created by 007\n0\n000000\n" {
		t.Errorf("%q", got)
	}
}
