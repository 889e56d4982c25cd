package storm

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// piece is one direct write.
type piece struct {
	off, len int64 // bytes; for an append, off is only what is asked for
	shift    int   // of the memory beyond a multiple of the block size, bytes
	flags    int   // RWF_*
}

// writer is what one task does in a round: its pieces in order, on an asynchronous
// path depth at a time.
type writer struct {
	engine workload.EngineName
	depth  int
	append bool // through a descriptor with O_APPEND
	pieces []piece
}

func (w *writer) add(p piece) { w.pieces = append(w.pieces, p) }

// text is how reports show piece i.
func (w *writer) text(i int) string {
	p := &w.pieces[i]
	var b strings.Builder
	fmt.Fprintf(&b, "write %d+%d %s", p.off, p.len, w.engine)
	if w.depth > 1 {
		fmt.Fprintf(&b, " depth=%d", w.depth)
	}
	flags := p.flags
	if w.append {
		flags |= unix.RWF_APPEND
	}
	for _, f := range workload.FlagNames(flags) {
		b.WriteString(" " + f)
	}
	if p.shift != 0 {
		fmt.Fprintf(&b, " buf=%d", p.shift)
	}
	return b.String()
}

// split adds the part of a block from start on up to cut, and the rest of it to another.
func (w *writer) split(rest *writer, start, cut, block int64) {
	w.add(piece{off: start, len: cut})
	rest.add(piece{off: start + cut, len: block - cut})
}

// op is what an act does.
type op uint8

// What is done to a file beside direct writes, through a descriptor without O_DIRECT.
const (
	opTruncate op = iota // to off
	opAllocate           // fallocate that does not change i_size
	opPunch
	opWritten   // a write through the page cache, before the writers only
	opStat      // what makes ext4 keep finer timestamps
	opTimestamp // set mtime and atime to now
)

// act is one thing done to a file beside direct writes.
type act struct {
	op       op
	off, len int64 // bytes
}

// round is what goes on at the same time.
type round struct {
	writers []writer
	// meanwhile is done once while the writers write, and until they end when again is
	// set. It changes no byte that a writer writes.
	meanwhile []act
	again     bool
}

// scene is what happens to one file.
type scene struct {
	name      string
	skip      string // why it cannot run, or ""; it has no rounds then
	noExtents bool   // the inode gets a block map
	appends   bool   // all writes are appends, and lengths are unique in a round
	partial   bool   // several writers write parts of one block that was not written
	unwritten bool   // without unwritten blocks it is not what its name says
	before    []act  // while nobody writes yet
	rounds    []round
}

// play adds n rounds, of the writers of each of which plan says what they write and what
// goes on meanwhile.
func (sc *scene) play(n int, writers func() []writer, plan func(n int, r *round)) {
	for i := 0; i < n && sc.skip == ""; i++ {
		r := round{writers: writers()}
		plan(i, &r)
		sc.rounds = append(sc.rounds, r)
	}
}
