package coverage

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// point is one branch of the kernel, taken one way.
type point struct {
	fn, condition, way string
}

// The points, in the kernel's order: the tests of the model, why the shared lock does not do,
// where NOWAIT ends a write, and what follows in iomap.
var (
	ways    = model.Ways()
	wants   = []model.Reason{model.ReasonNosec, model.ReasonExtending, model.ReasonDisksize, model.ReasonHead, model.ReasonTail, model.ReasonNotOver, model.ReasonUnwritten}
	refuses = []model.End{model.EndN0, model.EndN1, model.EndN2, model.EndN3, model.EndN4}
	points  = makePoints()
)

// Where each kind of points begins.
var (
	atWants   = len(ways)
	atRefuses = atWants + len(wants)
	atAfter   = atRefuses + len(refuses)
)

// What follows in iomap, behind atAfter.
const (
	foundMapped = iota
	foundUnwritten
	allocBeyond
	allocInside
	allocBlockMap
	severalMappings
	refusedCached
	refusedMapping
	zeroHead
	zeroTail
	zeroEOF
	zeroNothing
	fallback
	fallbackDrained
	queued
	waited
	numAfter
)

var after = [numAfter]point{
	foundMapped:     {"ext4_iomap_begin", "the blocks are found", "written"},
	foundUnwritten:  {"ext4_iomap_begin", "the blocks are found", "unwritten"},
	allocBeyond:     {"ext4_iomap_alloc", "blocks are asked for", "from i_size on (EXT4_GET_BLOCKS_CREATE)"},
	allocInside:     {"ext4_iomap_alloc", "blocks are asked for", "below i_size, unwritten (EXT4_GET_BLOCKS_…UNWRIT_EXT)"},
	allocBlockMap:   {"ext4_iomap_alloc", "blocks are asked for", "a hole of a block map: -ENOTBLK"},
	severalMappings: {"ext4_iomap_begin", "the write has several mappings", "yes"},
	refusedCached:   {"kiocb_invalidate_pages", "NOWAIT finds pages in the page cache", "-EAGAIN (N5)"},
	refusedMapping:  {"ext4_iomap_begin", "NOWAIT may not allocate, or look up", "-EAGAIN (N6)"},
	zeroHead:        {"iomap_dio_bio_iter", "zeroes", "the head of a block that is not written"},
	zeroTail:        {"iomap_dio_bio_iter", "zeroes", "the tail of a block that is not written"},
	zeroEOF:         {"iomap_dio_bio_iter", "zeroes", "behind i_size in a written block"},
	zeroNothing:     {"iomap_dio_bio_iter", "zeroes", "nothing"},
	fallback:        {"ext4_buffered_write_iter", "takes the rest of a direct write", "without a drain"},
	fallbackDrained: {"ext4_buffered_write_iter", "takes the rest of a direct write", "after a drain (inode_dio_wait)"},
	queued:          {"ext4_dio_write_iter", "the write is queued (-EIOCBQUEUED)", "yes"},
	waited:          {"ext4_dio_write_iter", "the write is queued (-EIOCBQUEUED)", "no"},
}

func makePoints() (out []point) {
	for _, w := range ways {
		out = append(out, point{w.Func(), w.Condition(), w.Answer.String()})
	}
	for _, r := range wants {
		out = append(out, point{"ext4_dio_write_checks", "the shared lock does not do, first because", string(r)})
	}
	for _, e := range refuses {
		out = append(out, point{"ext4_dio_write_iter", "NOWAIT ends the write", e.Text()})
	}
	return append(out, after[:]...)
}

// set is a set of points.
type set [2]uint64

func (s *set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s *set) join(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// decided adds the points that a decision passed.
func (s *set) decided(d *model.Decision) {
	for _, step := range d.Steps() {
		if i := slices.Index(ways, model.Way{ID: step.ID, Answer: step.Answer}); i >= 0 {
			s.add(i)
		}
		if step.Upgrades() {
			if i := slices.Index(wants, d.Reason); i >= 0 {
				s.add(atWants + i)
			}
		}
		if i := slices.Index(refuses, step.EndedAt()); i >= 0 {
			s.add(atRefuses + i)
		}
	}
}

// mapped adds those of one call of ext4_iomap_begin.
func (s *set) mapped(typ uint16, alloc uint32, err int) {
	switch {
	case err == model.ENOTBLK:
		s.add(atAfter + allocBlockMap)
	case err == model.EAGAIN:
		s.add(atAfter + refusedMapping)
	case err != 0:
	case alloc == model.GetBlocksCreate:
		s.add(atAfter + allocBeyond)
	case alloc != 0:
		s.add(atAfter + allocInside)
	case typ == model.IomapUnwritten:
		s.add(atAfter + foundUnwritten)
	case typ == model.IomapMapped:
		s.add(atAfter + foundMapped)
	}
}

// zeroed adds those of a piece of a block that was zeroed, in a mapping, by a write from pos on.
func (s *set) zeroed(at, pos int64, typ, flags uint16) {
	switch {
	case at < pos:
		s.add(atAfter + zeroHead)
	case model.NeedZeroout(typ, flags):
		s.add(atAfter + zeroTail)
	default:
		s.add(atAfter + zeroEOF)
	}
}

// ended adds those of the end of a write that came to iomap_dio_rw.
func (s *set) ended(mappings int, buffered, drained, isQueued, zeroedAny, done bool) {
	if mappings > 1 {
		s.add(atAfter + severalMappings)
	}
	switch {
	case buffered && drained:
		s.add(atAfter + fallbackDrained)
	case buffered:
		s.add(atAfter + fallback)
	}
	switch {
	case isQueued:
		s.add(atAfter + queued)
	case done:
		s.add(atAfter + waited)
	}
	if done && !zeroedAny {
		s.add(atAfter + zeroNothing)
	}
}

// ofOutcome are the points that a write passes as the model predicts it.
func ofOutcome(out *model.Outcome, pos int64) (s set) {
	s.decided(&out.Decision)
	if out.End != model.EndDio {
		return s
	}
	if out.Ended == model.SubmitN5 {
		s.add(atAfter + refusedCached)
	}
	for i := range out.Mappings {
		m := &out.Mappings[i]
		s.mapped(m.Type, m.Alloc, m.Err)
	}
	for _, z := range out.Zeroed {
		m := &out.Mappings[len(out.Mappings)-1] // the tail is in the last one
		s.zeroed(z.Pos, pos, m.Type, m.Flags)
	}
	s.ended(len(out.Mappings), out.Ended == model.SubmitFallback && out.Fallback.Len > 0, out.FallbackDrain, out.Queued, len(out.Zeroed) > 0, out.Ended == model.SubmitDone)
	return s
}

// ofWrite are the points that a real write passed, of which the model decided d.
func ofWrite(o *observe.Observation, d *model.Decision) (s set) {
	s.decided(d)
	if !o.Dio {
		return s
	}
	if at, refused := o.Refused(); refused && at == observe.AtPageCache {
		s.add(atAfter + refusedCached)
	}
	for i := range o.Mappings {
		m := &o.Mappings[i]
		s.mapped(m.Type, m.AllocFlags, m.Err)
	}
	pos := o.Pos0
	if p := o.LastPass(); p != nil {
		pos = p.Pos
	}
	for i := range o.Zeroed {
		z := &o.Zeroed[i]
		s.zeroed(z.Pos, pos, z.Type, z.Flags)
	}
	b := o.Buffered
	done := o.Completed && o.Ret > 0 && b == nil && !o.Lacks(record.CutZeroed)
	s.ended(len(o.Mappings)+len(o.Summed), b != nil && b.Copied, b != nil && b.Drained, o.Queued, len(o.Zeroed) > 0, done)
	return s
}
