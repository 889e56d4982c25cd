package model

import (
	"fmt"
	"strings"
	"testing"
)

// This file is a second implementation of the check phase, for comparison only.
// It shares no code with the model: it classifies a situation and reads the
// answer off the truth tables, row by row, where the model walks the procedure.

// answer is a row's columns.
type answer struct {
	guess, mode string // SH or EX
	passes      int
	drain, fw   bool
	lookups     []string // all of one pass
	first, rest bool     // whether pass 1, and a pass 2, make them
	nowait      string   // "go", N2 or N3
}

// situation is what the tables distinguish.
type situation struct {
	variant    Variant
	unaligned  bool
	beyondSize bool // end > i_size
	beyondDisk bool // only end > i_disksize
	nosec      bool
	guessEX    bool
	class      string // written, unwritten or mixed, as the range
	whole      string // the lookup of the whole range
	nz         bool
	partial    []string // lookups of head and tail
}

func (s situation) answer() answer {
	switch s.variant {
	case Linux61:
		return s.table61()
	case Linux612, Linux72, Base:
		return s.table612()
	case Patch3:
		if s.unaligned {
			return s.table612()
		}
		return s.tablePatch3()
	default:
		return s.table73()
	}
}

func ex(fw, drain bool, nowait string) answer {
	return answer{guess: "EX", mode: "EX", passes: 1, fw: fw, drain: drain, nowait: nowait}
}

func restart(fw, drain bool) answer {
	return answer{guess: "SH", mode: "EX", passes: 2, fw: fw, drain: drain, nowait: "N2"}
}

func stay() answer { return answer{guess: "SH", mode: "SH", passes: 1, nowait: "go"} }

func (a answer) with(lookups []string, first, rest bool) answer {
	a.lookups, a.first, a.rest = lookups, first, rest
	return a
}

func (s situation) table61() answer {
	whole := []string{s.whole}
	switch {
	case s.unaligned: // a
		return ex(true, true, "N3")
	case s.guessEX && (s.beyondSize || s.beyondDisk): // b, i
		return ex(true, false, "N3")
	case s.guessEX: // h
		return ex(false, false, "go")
	case s.beyondSize || s.beyondDisk: // c, d
		return restart(true, false)
	case !s.nosec: // e
		return restart(false, false)
	case s.class == "written": // f
		return stay().with(whole, true, false)
	default: // g
		return restart(false, false).with(whole, true, false)
	}
}

func (s situation) table612() answer {
	whole := []string{s.whole}
	w1 := s.class == "written"
	if s.guessEX {
		switch {
		case s.beyondSize: // a, b
			return ex(true, s.unaligned, "N3")
		case s.beyondDisk: // q
			return ex(true, s.unaligned && !w1, "N3").with(whole, true, false)
		case !s.unaligned: // n
			return ex(false, false, "go").with(whole, true, false)
		default: // o, p
			return ex(true, !w1, "N3").with(whole, true, false)
		}
	}
	switch {
	case s.beyondSize: // c
		return restart(true, s.unaligned)
	case s.beyondDisk: // d, e, f
		return restart(true, s.unaligned && !w1).with(whole, true, true)
	case s.nosec && !s.unaligned && s.class != "mixed", s.nosec && s.unaligned && w1: // g, h
		return stay().with(whole, true, false)
	case !s.unaligned: // i, k
		return restart(false, false).with(whole, true, true)
	default: // j, l, m
		return restart(true, !w1).with(whole, true, true)
	}
}

// tablePatch3 is for aligned writes. Whether the row d looks up is not known.
func (s situation) tablePatch3() answer {
	switch {
	case s.guessEX && (s.beyondSize || s.beyondDisk):
		return ex(true, false, "N3")
	case s.guessEX: // n
		return ex(false, false, "go")
	case s.beyondSize || s.beyondDisk: // c, d
		return restart(true, false)
	case s.nosec: // g, i
		return stay()
	default: // k
		return restart(false, false)
	}
}

func (s situation) table73() answer {
	nz, l := s.nz, s.partial
	if !s.unaligned {
		nz, l = false, nil
	}
	extending := s.beyondSize || s.beyondDisk
	if s.guessEX {
		switch {
		case extending: // a, b, q
			return ex(true, nz, "N3").with(l, true, false)
		case nz: // p
			return ex(true, true, "N3").with(l, true, false)
		default: // n, o
			return ex(false, false, "go").with(l, true, false)
		}
	}
	switch {
	case extending: // c, d, e, f
		return restart(true, nz).with(l, true, true)
	case nz: // j, m
		return restart(true, true).with(l, true, true)
	case s.nosec: // g, h
		return stay().with(l, true, false)
	default: // k, l
		return restart(false, false).with(l, true, true)
	}
}

// run is a mapping of the layout.
type run struct {
	kind  byte
	start int64
	n     int64
}

func runsOf(layout string) []run {
	var out []run
	at := int64(0)
	for _, part := range strings.Split(layout, "|") {
		for i := range part {
			if i > 0 && part[i] == part[i-1] {
				out[len(out)-1].n++
			} else {
				out = append(out, run{part[i], at, 1})
			}
			at++
		}
	}
	return out
}

// at is the run that holds block b, clipped to begin there.
func at(runs []run, b int64) run {
	for _, r := range runs {
		if b >= r.start && b < r.start+r.n {
			return run{r.kind, b, r.start + r.n - b}
		}
	}
	return run{'H', b, 1}
}

func classify(s *scene) situation {
	bs := int64(1) << s.blkbits
	end := s.pos + s.n
	first, last := s.pos/bs, (end-1)/bs
	runs := runsOf(s.blocks)
	sit := situation{
		nosec:      s.nosec,
		unaligned:  s.pos%bs != 0 || s.n%bs != 0 || int64(s.mem)%bs != 0,
		beyondSize: end > s.isize,
		beyondDisk: end <= s.isize && end > s.disksize,
		class:      "mixed",
		whole:      fmt.Sprintf("(%d,%d)", first, last-first+1),
	}
	// 6.1 guesses exclusive for alignment as well; its table has it in row a.
	sit.guessEX = end > s.isize0
	if r := at(runs, first); r.n >= last-first+1 {
		switch r.kind {
		case 'W':
			sit.class = "written"
		case 'U':
			sit.class = "unwritten"
		}
	}
	sit.nz, sit.partial = partialBlocks(runs, s.pos, end, bs, sit.beyondSize)
	return sit
}

// partialBlocks is the table of lookups by head and tail.
func partialBlocks(runs []run, pos, end, bs int64, beyond bool) (bool, []string) {
	if beyond {
		return true, nil
	}
	h, t := pos/bs, (end-1)/bs
	head, tail := at(runs, h), at(runs, t)
	headQuery, tailQuery := fmt.Sprintf("(%d,%d)", h, t-h+1), fmt.Sprintf("(%d,1)", t)
	hp, tp := pos%bs != 0, end%bs != 0
	switch {
	case !hp && !tp:
		return false, nil
	case hp && !tp:
		return head.kind != 'W', []string{headQuery}
	case hp && h == t:
		return head.kind != 'W', []string{headQuery}
	case hp && head.kind != 'W':
		return true, []string{headQuery}
	case hp && head.start+head.n > t:
		return false, []string{headQuery}
	case hp:
		return tail.kind != 'W', []string{headQuery, tailQuery}
	default:
		return tail.kind != 'W', []string{tailQuery}
	}
}

// differs compares a decision with a row, and says where they part.
func (a answer) differs(d *Decision, v Variant, nowait bool) string {
	lookups := func(pass int) []string {
		if pass == 0 && a.first || pass == 1 && a.rest {
			return a.lookups
		}
		return nil
	}
	passes := a.passes
	if nowait {
		passes = 1
		want := map[string]End{"go": EndDio, "N2": EndN2, "N3": EndN3}[a.nowait]
		if d.End != want {
			return fmt.Sprintf("NOWAIT ends at %s, want %s", d.End, a.nowait)
		}
	}
	if d.Passes != passes {
		return fmt.Sprintf("%d passes, want %d", d.Passes, passes)
	}
	for i := range passes {
		var got []string
		for _, q := range d.Pass[i].Queries[:d.Pass[i].N] {
			got = append(got, fmt.Sprintf("(%d,%d)", q.Lblk, q.Len))
			cached := nowait && v.Has(NowaitCachedZeroing)
			if (q.Flags == GetBlocksCachedNowait) != cached || !cached && q.Flags != 0 {
				return fmt.Sprintf("lookup flags %#x", q.Flags)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(lookups(i)) {
			return fmt.Sprintf("pass %d looks up %v, want %v", i+1, got, lookups(i))
		}
	}
	if d.End != EndDio {
		return ""
	}
	mode := map[Mode]string{Shared: "SH", Exclusive: "EX"}
	switch {
	case mode[d.Pass[0].Mode] != a.guess:
		return fmt.Sprintf("first lock %s, want %s", d.Pass[0].Mode, a.guess)
	case mode[d.Mode] != a.mode:
		return fmt.Sprintf("lock %s, want %s", d.Mode, a.mode)
	case d.Drain != AnswerOf(a.drain):
		return fmt.Sprintf("drain %s, want %v", d.Drain, a.drain)
	case d.ForceWait != AnswerOf(a.fw):
		return fmt.Sprintf("force wait %s, want %v", d.ForceWait, a.fw)
	}
	return ""
}

// layouts are all files of three blocks, each with as few and with as many
// mappings as there can be.
func layouts() []string {
	var out []string
	const kinds = "WUHD"
	for i := range 4 * 4 * 4 {
		b := []byte{kinds[i/16], kinds[i/4%4], kinds[i%4]}
		out = append(out, string(b), string(b[0])+"|"+string(b[1])+"|"+string(b[2]))
	}
	return out
}

// TestExhaustive compares the model with the tables over every combination of
// layout, head and tail, alignment of memory, i_size, i_disksize, nosec, guess,
// NOWAIT and variant.
func TestExhaustive(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: every combination takes a quarter of a minute")
	}
	points := []int64{0, 512, 4096, 4608, 8192, 11776, 12288, 12800, 16384}
	cases, failures := 0, 0
	var d Decision
	for _, layout := range layouts() {
		for _, c := range situations(layout, points) {
			sit := classify(c)
			for _, v := range Variants() {
				sit.variant = v
				row := sit.answer()
				for _, nowait := range []bool{false, true} {
					c.flags = 0
					if nowait {
						c.flags = IocbNowait
					}
					cases++
					Decide(&d, c.call(), c, v)
					if d.nsteps >= maxSteps {
						t.Fatalf("%+v: no room for all steps", c)
					}
					if why := checkInvariants(&d, c); why != "" {
						t.Fatalf("%s %+v: %s", v, c, why)
					}
					if why := row.differs(&d, v, nowait); why != "" {
						if failures++; failures < 20 {
							t.Errorf("%s nowait=%v %+v: %s", v, nowait, c, why)
						}
					}
				}
			}
		}
	}
	t.Logf("%d cases, %d differences", cases, failures)
	if cases < 1_000_000 {
		t.Errorf("only %d cases", cases)
	}
}

func situations(layout string, points []int64) []*scene {
	var out []*scene
	for _, pos := range points {
		for _, end := range points {
			if end <= pos {
				continue
			}
			for _, isize := range []int64{12288, 11776} {
				for _, disk := range []int64{isize, 4096} {
					for bits := range 8 {
						s := &scene{
							blocks: layout, blkbits: 12, pos: pos, n: end - pos, pos0: pos, n0: end - pos,
							isize: isize, disksize: disk, isize2: isize, disksize2: disk, pos2: pos,
							nosec: bits&1 != 0, trylock: Yes, dio: Yes, mem: uint32(bits&2) * 256,
						}
						s.isize0 = int64(bits&4) << 30 // the guess: exclusive or shared
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}

// checkInvariants are truths that hold in every variant.
func checkInvariants(d *Decision, s *scene) string {
	end := s.pos + s.n
	switch {
	case d.End == EndUnknown:
		return "nothing was unknown, but the decision stopped: " + d.Missing
	case s.flags&IocbNowait != 0 && (d.Passes > 1 || d.Drain == Yes):
		return "a NOWAIT write waits"
	case d.Mode == Shared && d.ForceWait == Yes:
		return "a shared write is forced to wait"
	case d.Mode == Shared && (end > s.isize || end > s.disksize):
		return "an extending write is shared"
	case d.Mode == Shared && !s.nosec:
		return "a shared write may have to change security info"
	case d.End == EndDio && d.Extend && d.ForceWait != Yes:
		return "an extending write does not wait"
	case d.Drain == Yes && d.ForceWait != Yes:
		return "a write drains, but lets others follow before it is done"
	case d.End != EndDio && d.Ret == 0:
		return "the write ends without a result"
	case d.Reason == "":
		return "no reason"
	}
	return ""
}
