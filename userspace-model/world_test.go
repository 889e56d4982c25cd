package model

import (
	"fmt"
	"strings"
	"testing"
)

// scene is one write in a world that is scripted call by call: what the second
// pass finds may differ from the first, a lookup may fail, and file_modified may.
type scene struct {
	name     string
	blocks   string // one letter each, '|' between two mappings of a kind
	blkbits  uint8
	pos, n   int64
	pos0     int64 // ki_pos at entry, before IOCB_APPEND
	n0       int64 // bytes at entry, before a limit cut them
	mem      uint32
	isize    int64
	isize0   int64 // seen by the guess
	disksize int64
	nosec    bool
	flags    uint32
	async    bool
	modified int
	trylock  Answer
	dio      Answer
	// isize2, disksize2 and pos2 are what the second pass sees.
	isize2, disksize2 int64
	pos2              int64
}

// parseScene reads "NAME DRAWING key=value …". Keys left out are: isize and
// disksize at the end of the blocks, nosec, a buffer aligned to pages.
func parseScene(t testing.TB, line string) *scene {
	t.Helper()
	return parseRow(t, line).scene()
}

func (r *row) scene() *scene {
	s := &scene{
		name: r.name, blocks: r.drawing.letters(), blkbits: r.blkbits(), pos: r.pos(), n: r.len(),
		mem: uint32(r.number("mem", 0)), isize: r.isize(), nosec: !r.has("insecure"), flags: r.flags(),
		async: r.has("async"), modified: int(r.number("modified", 0)),
		trylock: AnswerOf(!r.has("locked")), dio: AnswerOf(!r.has("nodio")),
	}
	s.isize0, s.disksize = r.number("isize0", s.isize), r.number("disksize", s.isize)
	s.pos0, s.n0 = r.number("pos0", s.pos), r.number("len0", s.n)
	s.isize2, s.disksize2 = r.number("isize2", s.isize), r.number("disksize2", s.disksize)
	s.pos2 = r.number("pos2", s.pos)
	return s
}

func (s *scene) call() *Call {
	return &Call{
		Pos: s.pos0, Len: s.n0, Align: Alignment{Bits: s.mem | uint32(s.n0), Known: true},
		ISize: s.isize0, Flags: s.flags, Blkbits: s.blkbits, Async: AnswerOf(s.async),
	}
}

func (s *scene) Trylock(Mode) Answer { return s.trylock }
func (s *scene) UseDio() Answer      { return s.dio }
func (s *scene) Modified() (int, bool) {
	return s.modified, true
}

func (s *scene) Checks(pass int) (Checks, bool) {
	c := Checks{
		Pos: s.pos, Count: s.n, ISize: s.isize, IDisksize: s.disksize,
		Align: Alignment{Bits: s.mem, Known: true}, Nosec: s.nosec,
	}
	if s.n > 0 {
		c.Align.Bits |= uint32(s.n)
	}
	if pass == 1 {
		c.ISize, c.IDisksize, c.Pos = s.isize2, s.disksize2, s.pos2
	}
	return c, true
}

// Lookup is ext4_map_blocks over the drawing: one mapping, at most q.Len blocks.
func (s *scene) Lookup(_ int, q Query) (Result, bool) {
	kinds, broken := draw(s.blocks)
	if int(q.Lblk) >= len(kinds) {
		return Result{}, true
	}
	n := int32(0)
	kind := kinds[q.Lblk]
	for i := int(q.Lblk); i < len(kinds) && kinds[i] == kind && uint32(n) < q.Len; i++ {
		if n > 0 && broken[i] {
			break
		}
		n++
	}
	switch kind {
	case 'W':
		return Result{Ret: n, MFlags: MapMapped}, true
	case 'U':
		return Result{Ret: n, MFlags: MapUnwritten}, true
	case 'D':
		return Result{Ret: 0, MFlags: MapDelayed}, true
	case 'E':
		return Result{Ret: -5}, true
	case 'M': // not in the extent status cache; only a cache-only lookup misses
		if q.Flags&GetBlocksCachedNowait != 0 {
			return Result{Ret: EAGAIN}, true
		}
		return Result{Ret: n, MFlags: MapMapped}, true
	}
	return Result{}, true
}

// draw splits the letters from the separators: broken[i] says that a new mapping
// begins at block i.
func draw(blocks string) (kinds []byte, broken map[int]bool) {
	broken = map[int]bool{}
	for _, b := range []byte(blocks) {
		if b == '|' {
			broken[len(kinds)] = true
			continue
		}
		kinds = append(kinds, b)
	}
	return kinds, broken
}

// checksText puts a decision into the columns of the tables: mode, passes,
// drain, force wait, lookups.
func checksText(d *Decision, w World) string {
	var b strings.Builder
	switch {
	case d.End == EndUnknown:
		fmt.Fprintf(&b, "unknown(%s)", d.Missing)
	case d.End == EndChecks || d.End == EndModified:
		fmt.Fprintf(&b, "%d", d.Ret)
	case d.End != EndDio:
		fmt.Fprintf(&b, "%s", d.End)
	default:
		mode := map[Mode]string{Shared: "SH", Exclusive: "EX"}
		b.WriteString(mode[d.Pass[0].Mode])
		if d.Mode != d.Pass[0].Mode {
			b.WriteString(">" + mode[d.Mode])
		}
		fmt.Fprintf(&b, " %d %s %s", d.Passes, dash("drain", d.Drain), dash("fw", d.ForceWait))
	}
	b.WriteString(" " + lookupsText(d, w))
	return b.String()
}

func dash(word string, a Answer) string {
	switch a {
	case Yes:
		return word
	case Unknown:
		return word + "?"
	}
	return "-"
}

func lookupsText(d *Decision, w World) string {
	var passes []string
	any := false
	for i := range d.Passes {
		p, out := &d.Pass[i], ""
		for j := range p.N {
			q := p.Queries[j]
			r, _ := w.Lookup(i, q)
			flags := ""
			if q.Flags != 0 {
				flags = fmt.Sprintf(",%#x", q.Flags)
			}
			out += fmt.Sprintf("(%d,%d%s)=%d", q.Lblk, q.Len, flags, r.Ret)
			any = true
		}
		if p.MayLookUp {
			out += fmt.Sprintf("(%d,%d)?", p.Queries[0].Lblk, p.Queries[0].Len)
			any = true
		}
		if out == "" {
			out = "-"
		}
		passes = append(passes, out)
	}
	if !any {
		return "-"
	}
	return strings.Join(passes, " / ")
}
