package random

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Op is what a step does.
type Op uint8

// What a step can do. All but Write go through a descriptor without O_DIRECT.
const (
	Write     Op = iota // a direct write, judged by the oracles
	NoExtents           // the inode gets a block map; only before it has blocks
	Fallocate           // and i_size follows
	KeepSize            // fallocate with FALLOC_FL_KEEP_SIZE
	Punch
	Truncate // to Len
	Buffered // a write through the page cache
	Read     // of Len bytes at Off through the page cache
	Sync
	Drop    // sync, and drop the pages from the page cache
	Unprime // S_NOSEC is cleared by setting and clearing suid
	numOps
)

var opNames = [numOps]string{
	"write", "noextents", "fallocate", "fallocate-keep-size", "punch", "truncate", "buffered", "read", "sync", "drop", "unprime",
}

func (o Op) String() string { return opNames[min(o, numOps-1)] }

// Step is one thing done to the file of a case.
type Step struct {
	Op       Op
	Off, Len int64 // bytes

	// The rest is of a Write only.
	Engine workload.EngineName
	Segs   []int  // lengths, bytes; they sum up to Len
	Buf    int    // address of the first segment beyond a multiple of 64 KiB, bytes
	Flags  int    // RWF_*
	Fresh  bool   // timestamps are set to now right before it
	Class  string // position and length as the generator chose them
}

// Case is one file: what is done to it, in order.
type Case struct {
	Seed   uint64
	Number int // from 1
	Steps  []Step
}

// worker reports whether the write before step i was one that a task of the kernel
// may have made.
func (c *Case) worker(i int) bool {
	for i--; i >= 0; i-- {
		if s := &c.Steps[i]; s.Op == Write {
			return s.Engine.Retries()
		}
	}
	return false
}

// fileName is the name of the file of a case, without our prefix.
func fileName(number int) string { return fmt.Sprintf("case-%d", number) }

// String is one line: "write 512+14336 pwritev2 nowait buf=512 segs=512,13824".
func (s *Step) String() string {
	var b strings.Builder
	b.WriteString(s.Op.String())
	switch s.Op {
	case NoExtents, Sync, Drop, Unprime:
		return b.String()
	case Truncate:
		fmt.Fprintf(&b, " %d", s.Len)
		return b.String()
	}
	fmt.Fprintf(&b, " %d+%d", s.Off, s.Len)
	if s.Op != Write {
		return b.String()
	}
	fmt.Fprintf(&b, " %s", s.Engine)
	for _, f := range workload.FlagNames(s.Flags) {
		b.WriteString(" " + f)
	}
	if s.Fresh {
		b.WriteString(" fresh")
	}
	if s.Buf != 0 {
		fmt.Fprintf(&b, " buf=%d", s.Buf)
	}
	if len(s.Segs) > 1 {
		fmt.Fprintf(&b, " segs=%s", strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Segs), " ", ","), "[]"))
	}
	return b.String()
}

// at is where a write begins in a file of this i_size.
func (s *Step) at(size int64) int64 {
	if s.Flags&unix.RWF_APPEND != 0 {
		return size
	}
	return s.Off
}

// fill writes the bytes of step i of a case: they depend on the step and on the
// place in the file, and none is zero.
func (c *Case) fill(b []byte, i int, off int64) {
	shadow.Fill(b, (c.Seed*31+uint64(c.Number))*31+uint64(i)+1, off)
}
