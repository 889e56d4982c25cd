package page

import (
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// line is one line of the procedure of a variant, in our words and in the kernel's order.
type line struct {
	depth int
	kind  kind
	text  string
	fn    string // where the test stands when that is not the function of the block; else empty
	// points are those that the line stands for, as indices of Report.Points: of a way one, of
	// a test those of all its ways, and none of others.
	points []int
}

// kind says what a line is.
type kind uint8

const (
	begins kind = iota // a function
	does               // what is done, or when
	tests              // a test, below which its ways stand
	goes               // a way of a test, or one that stands by itself
)

// node is a line of all procedures, with those below it. It stands in the procedures of the
// variants that have the behaviours of with and none of without.
type node struct {
	kind          kind
	text          string
	condition     string // of a test, or of a way that stands below none
	way           string
	with, without model.Behaviours
	in            []node
}

// in begins a function.
func in(fn string, body ...node) node { return node{kind: begins, text: fn, in: body} }

// do is something that is done or holds for what stands below it.
func do(text string, body ...node) node { return node{kind: does, text: text, in: body} }

// test is a condition with its ways.
func test(condition string, ways ...node) node {
	return node{kind: tests, condition: condition, in: ways}
}

func yes(text string, then ...node) node { return way("yes", text, then...) }

func no(text string, then ...node) node { return way("no", text, then...) }

// way is one of the test that it stands below; text says what it means, if it does not speak
// for itself.
func way(name, text string, then ...node) node {
	return node{kind: goes, way: name, text: text, in: then}
}

// at is a way that stands by itself.
func at(condition, name, text string) node {
	return node{kind: goes, condition: condition, way: name, text: text}
}

// nowaitEnds is the condition of the points at which NOWAIT ends a write, whatever function that is in.
const nowaitEnds = "NOWAIT ends the write"

// ends is where NOWAIT ends a write.
func ends(at model.End) node {
	return node{kind: goes, condition: nowaitEnds, way: at.Text(), text: "under NOWAIT the write ends: " + at.Text()}
}

// first is a reason for the exclusive lock.
func first(r model.Reason) node {
	return node{kind: goes, condition: "the shared lock does not do, first because", way: string(r), text: "first because: " + string(r)}
}

func (n node) since(b model.Behaviours) node {
	n.with |= b
	return n
}

func (n node) before(b model.Behaviours) node {
	n.without |= b
	return n
}

// modified stands behind the waits since UnalignedShared, and before them until then.
var modified = test("time stamps and privileges are updated",
	yes(""),
	no("the write ends with the error", ends(model.EndN4).since(model.KiocbModified)))

// overwritten is the lookup of before NeedsZeroing.
var overwritten = test("one mapping holds all of its blocks",
	yes("", test("that mapping is unwritten", yes(""), no("")).since(model.OverwriteUnwritten)),
	no(""))

// procedure is that of all variants. The model has it, one function each; what it looks like
// is told here a second time, and TestProcedure and TestOrder hold the one against the other.
var procedure = []node{
	in("ext4_dio_write_iter",
		test("the write is unaligned, before any lock", yes("the first lock will be exclusive"), no("")).before(model.UnalignedShared),
		test("its end is beyond i_size, before any lock", yes("the first lock will be exclusive"), no("")),
		test("the first lock is exclusive", yes("i_rwsem is asked for exclusive"), no("i_rwsem is asked for shared")),
		do("under NOWAIT it is tried only:",
			test("NOWAIT gets the lock at once", yes(""), no("", ends(model.EndN1)))),
		test("the inode takes direct I/O", yes(""),
			no("the lock is let go, and ext4_buffered_write_iter takes the write", ends(model.EndN0))),
		do("call ext4_dio_write_checks")),
	in("ext4_dio_write_checks",
		do("restart:"),
		test("there is something to write after the checks", yes(""), no("the write ends here")),
		test("its end is beyond i_size", yes("it extends"), no("")),
		test("its end is beyond i_disksize", yes("it extends"), no("")),
		test("the write is unaligned", yes("", zeroing), no("")).since(model.UnalignedShared),
		do("while the lock is shared, the write does not extend and IS_NOSEC holds, all of its blocks are looked up at once:", overwritten).before(model.UnalignedShared),
		do("a write that ends within i_size has all of its blocks looked up at once:", overwritten).since(model.UnalignedShared).before(model.NeedsZeroing|model.AlignedUnchecked),
		do("an unaligned write that ends within i_size has all of its blocks looked up at once:", overwritten).since(model.AlignedUnchecked).before(model.NeedsZeroing),
		do("while the lock is shared:",
			test("there is no security info to remove (IS_NOSEC)", yes(""), no("")),
			test("the shared lock does not do",
				yes("",
					first(model.ReasonNosec), first(model.ReasonExtending), first(model.ReasonDisksize),
					first(model.ReasonHead).since(model.NeedsZeroing), first(model.ReasonTail).since(model.NeedsZeroing),
					first(model.ReasonNotOver).before(model.NeedsZeroing), first(model.ReasonUnwritten).since(model.UnalignedShared).before(model.NeedsZeroing),
					ends(model.EndN2),
					do("the lock is let go and taken exclusive, and all is done again from restart on")),
				no("it stays shared"))),
		modified.before(model.UnalignedShared),
		test("it has to wait for its I/O (IOMAP_DIO_FORCE_WAIT)", yes("", ends(model.EndN3)), no("")),
		test("it has to wait for direct I/O in flight (inode_dio_wait)", yes("the drain"), no("")),
		modified.since(model.UnalignedShared)),
	in("ext4_dio_write_iter",
		test("it extends: ext4_orphan_add", yes(""), no("")),
		test("ext4_iomap_overwrite_ops are used", yes(""), no("ext4_iomap_ops are")).before(model.SingleOps),
		do("call iomap_dio_rw")),
	in("iomap_dio_rw",
		test("iomap_dio_rw is entered exclusive", yes(""), no("")),
		do("pages of the range are dropped from the page cache, without a wait under NOWAIT:",
			at("NOWAIT finds pages in the page cache", "-EAGAIN (N5)", "under NOWAIT the write ends where there are any: -EAGAIN (N5)")),
		do("for each piece of the write:",
			do("ext4_iomap_begin looks its blocks up:",
				test("the blocks are found", way("written", ""), way("unwritten", "").since(model.SplitAtEndIO))),
			do("or else they are made:",
				at("NOWAIT may not allocate, or look up", "-EAGAIN (N6)", "under NOWAIT the write ends, which may not allocate, or look up: -EAGAIN (N6)").since(model.NowaitNoAlloc),
				test("blocks are asked for",
					way("from i_size on (EXT4_GET_BLOCKS_CREATE)", ""),
					way("below i_size, unwritten (EXT4_GET_BLOCKS_…UNWRIT_EXT)", ""),
					way("a hole of a block map: -ENOTBLK", ""))),
			do("iomap_dio_bio_iter submits it, and of its partial blocks",
				test("zeroes",
					way("the head of a block that is not written", ""),
					way("the tail of a block that is not written", ""),
					way("behind i_size in a written block", ""),
					way("nothing", ""))),
			at("the write has several mappings", "yes", "another piece follows: the write has several mappings"))),
	in("ext4_dio_write_iter",
		do("what direct I/O left goes to ext4_buffered_write_iter:",
			at("takes the rest of a direct write", "without a drain", "without a drain").before(model.DrainFallback),
			at("takes the rest of a direct write", "after a drain (inode_dio_wait)", "after a drain (inode_dio_wait)").since(model.DrainFallback)),
		test("the write is queued (-EIOCBQUEUED)", yes("its completion comes later"), no("it has waited"))),
}

// zeroing is what an unaligned write is looked up for since NeedsZeroing.
var zeroing = do("call ext4_dio_needs_zeroing:",
	do("where the write ends within i_size:",
		test("the partial block at the head is written", yes(""), no("")),
		test("the partial block at the tail is written", yes(""), no(""))),
	test("the rest of a partial block has to be zeroed", yes(""), no(""))).since(model.NeedsZeroing)

// procedureOf is the procedure of a variant. Points that no line of it has are of the code of
// other variants.
func procedureOf(v model.Variant, points []coverage.Point) []line {
	w := writer{has: v.Behaviours(), points: points}
	for i := range procedure {
		w.add(&procedure[i], 0, "")
	}
	return w.lines
}

// writer makes the lines of one variant.
type writer struct {
	has    model.Behaviours
	points []coverage.Point
	fn     string // that the block is of
	lines  []line
}

// add adds a node and what stands below it; condition is that of the test above it.
func (w *writer) add(n *node, depth int, condition string) {
	if !w.has.Has(n.with) || w.has&n.without != 0 {
		return
	}
	l := line{depth: depth, kind: n.kind, text: n.text}
	switch n.kind {
	case begins:
		w.fn = n.text
	case tests:
		condition, l.text = n.condition, n.condition
	case goes:
		if n.condition != "" {
			condition = n.condition
		} else if l.text = n.way; n.text != "" {
			l.text += ": " + n.text
		}
	}
	if n.kind == tests || n.kind == goes {
		l.points = w.pointsOf(condition, n.way)
	}
	if n.condition != "" && len(l.points) > 0 {
		if fn := w.points[l.points[0]].Function; fn != w.fn && !strings.Contains(l.text, fn) && condition != nowaitEnds {
			l.fn = fn
		}
	}
	w.lines = append(w.lines, l)
	for i := range n.in {
		w.add(&n.in[i], depth+1, condition)
	}
}

// pointsOf are those of a condition, or the one of its way.
func (w *writer) pointsOf(condition, way string) (out []int) {
	for i := range w.points {
		if p := &w.points[i]; p.Condition == condition && (way == "" || p.Way == way) {
			out = append(out, i)
		}
	}
	return out
}

// others are the points that no line has.
func others(lines []line, points []coverage.Point) (out []int) {
	for i := range points {
		if !slices.ContainsFunc(lines, func(l line) bool { return l.kind == goes && slices.Contains(l.points, i) }) {
			out = append(out, i)
		}
	}
	return out
}
