// Package xfsio spells commands of xfs_io(8) for a shell: what a layout or a write of
// ours is when somebody else is to make it. It runs nothing.
package xfsio

import (
	"fmt"
	"regexp"
	"strings"
)

// Line is one line of a script: xfs_io with its options and commands, on a file. The
// file is a word of the shell already; options and commands must be made by this
// package, nothing in them is quoted further.
func Line(options, file string, commands ...string) string {
	var b strings.Builder
	b.WriteString("xfs_io")
	if options != "" {
		b.WriteString(" " + options)
	}
	for _, c := range commands {
		fmt.Fprintf(&b, " -c %q", c)
	}
	return b.String() + " " + file
}

// Falloc allocates a range, in bytes, and moves i_size when it ends beyond it.
func Falloc(off, n int64) string { return "falloc " + Size(off) + " " + Size(n) }

// KeepSize allocates a range and leaves i_size.
func KeepSize(off, n int64) string { return "falloc -k " + Size(off) + " " + Size(n) }

// Punch makes a range a hole. It does nothing beyond i_size.
func Punch(off, n int64) string { return "fpunch " + Size(off) + " " + Size(n) }

// Truncate sets i_size.
func Truncate(size int64) string { return "truncate " + Size(size) }

// Prologue begins a script that is given a folder: it goes there, and has what its lines need. What it
// says begins with the name of the script, as several run in a loop. The files that it makes are
// gone when it fails.
const Prologue = `set -u
LC_ALL=C
export LC_ALL
say() { echo "${0##*/}: $*" >&2; }
need() { for tool; do command -v "$tool" >/dev/null || { say "not made: $tool is missing (xfs_io is in package xfsprogs, chattr in e2fsprogs)"; exit 3; }; done; }
# Names of files here have no blanks.
new() { [ ! -e "$1" ] || { say "$dir/$1 is there already; to run it again: rm $dir/$1"; exit 2; }; made="$made $1"; }
must() { need "$1"; "$@" || { say "cannot lay out: $*"; exit 3; }; }
# EAGAIN is what a write may get here that must not wait.
may() {
  text=$("$@" 2>&1)
  set -- $?
  case $text in "" | *"Resource temporarily unavailable"*) ;; *) say "a write that may be refused: $text" ;; esac
  return $1
}
end() { set -- $?; [ $1 = 0 ] || { [ -z "$made" ] || { say "ends with status $1, without the files that it made"; rm -f $made; }; }; }
made=
[ $# = 1 ] || { say "the folder to write in is missing; run: sh $0 FOLDER"; exit 2; }
dir=$1
need xfs_io stat rm touch chmod
cd -- "$dir" 2>/dev/null || { say "cannot go to $dir"; exit 2; }
type=$(stat -f -c %T .) # of ext4 it says ext2/ext3
[ "$type" = ext2/ext3 ] || { say "not made: needs ext4, and $dir is on $type"; exit 3; }
trap end EXIT
trap 'exit 130' HUP INT TERM
`

var writes = regexp.MustCompile(`(^|&& |; do )xfs_io `)

// May is a line whose write a right kernel may refuse as one of a script with Prologue, which then says nothing of it.
func May(line string) string {
	if strings.HasPrefix(line, "#") || !strings.HasSuffix(line, Ignored) {
		return line
	}
	return writes.ReplaceAllString(line, "${1}may xfs_io ")
}

// Ignored ends a line that may fail.
const Ignored = " || :"

// QuietRead reads a range and says nothing.
func QuietRead(off, n int64) string { return "pread -q " + Size(off) + " " + Size(n) }

// Read reads a range.
func Read(off, n int64) string { return "pread " + Size(off) + " " + Size(n) }

// Commands without arguments.
const (
	Sync = "fsync"
	Drop = "fadvise -d 0 0" // the pages from the cache
)

// Forget is a line that writes the pages of a file and drops them.
func Forget(file string) string { return Line("", file, Sync, Drop) }

// Unprime is a line after which the kernel has to look for privileges to remove at the
// next write: S_NOSEC is clear.
func Unprime(file string) string { return "chmod u+s " + file + " && chmod u-s " + file }

// Touch is the beginning of a line: when the rest follows in the same tick, its write
// finds the time stamps up to date.
func Touch(file string) string { return "touch " + file + " && " }

// MaxVectors is how many segments the kernel takes in one call (UIO_MAXIOV).
const MaxVectors = 1024

// Write is a pwrite command.
type Write struct {
	Off, Len int64
	Block    int64 // bytes of one system call, or of one segment; 0 for xfs_io's own
	Vectors  int   // segments, when more than one; at most MaxVectors
	NoWait   bool  // RWF_NOWAIT
	DSync    bool  // RWF_DSYNC
	Quiet    bool
	Pattern  int // the byte that is written
}

func (w Write) String() string {
	var b strings.Builder
	b.WriteString("pwrite")
	if w.Quiet {
		b.WriteString(" -q")
	}
	if w.Block > 0 {
		b.WriteString(" -b " + Size(w.Block))
	}
	if w.NoWait {
		b.WriteString(" -N")
	}
	if w.DSync {
		b.WriteString(" -D")
	}
	// Without -V, xfs_io calls pwrite(2), which has no flags, and ignores -N and -D.
	if w.Vectors > 1 || w.NoWait || w.DSync {
		fmt.Fprintf(&b, " -V %d", max(w.Vectors, 1))
	}
	fmt.Fprintf(&b, " -S %#x %s %s", w.Pattern, Size(w.Off), Size(w.Len))
	return b.String()
}

// Pattern is a byte that tells the writes of a script apart.
func Pattern(i int) int { return 0x41 + i%26 }

// Size is a number of bytes as xfs_io reads it.
func Size(n int64) string {
	if n > 0 && n%1024 == 0 {
		return fmt.Sprintf("%dk", n/1024)
	}
	return fmt.Sprint(n)
}
