package model

import (
	"slices"
	"testing"
)

// known is the world of fixed, with facts that are not known.
type known struct {
	fixed
	noChecks, noLookup, noModified bool
}

func (k *known) Checks(pass int) (Checks, bool) {
	c, _ := k.fixed.Checks(pass)
	return c, !k.noChecks
}

func (k *known) Lookup(pass int, q Query) (Result, bool) {
	r, _ := k.fixed.Lookup(pass, q)
	return r, !k.noLookup
}

func (k *known) Modified() (int, bool) { return k.modified, !k.noModified }

// plain is a write of two blocks of 4 KiB inside i_size, and a world where nothing
// is in its way.
func plain() (Call, known) {
	c := Call{Pos: 0, Len: 8192, Align: Alignment{Bits: 8192, Known: true}, ISize: 16384, Blkbits: 12, Async: No}
	return c, known{fixed: fixed{
		trylock: Yes, dio: Yes, result: Result{Ret: 2, MFlags: MapMapped},
		checks: Checks{Pos: 0, Count: 8192, ISize: 16384, IDisksize: 16384, Align: c.Align, Nosec: true},
	}}
}

// TestEndsAtOnce: a fact that is not known ends the decision at the test that needs
// it. Nothing that follows is asked or shown.
func TestEndsAtOnce(t *testing.T) {
	tests := []struct {
		name    string
		v       Variant
		set     func(*Call, *known)
		missing string
		passes  int
		last    StepID
	}{
		{"trylock", Linux73, func(c *Call, w *known) { c.Flags, w.trylock = IocbNowait, Unknown }, "result of the trylock", 0, stepTrylock},
		{"direct I/O", Linux73, func(_ *Call, w *known) { w.dio = Unknown }, "whether the inode supports direct I/O", 0, stepUseDio},
		{"alignment at entry", Linux61, func(c *Call, _ *known) { c.Align.Known = false }, "alignment of the iov_iter at entry", 0, stepUseDio},
		{"checks", Linux73, func(_ *Call, w *known) { w.noChecks = true }, "the checks of this pass", 1, stepUseDio},
		{"alignment in a pass", Linux73, func(_ *Call, w *known) { w.checks.Align.Known = false }, "alignment of the iov_iter", 1, stepUnaligned},
		{"lookup of an aligned write", Linux61, func(_ *Call, w *known) { w.noLookup = true }, "answer of a lookup", 1, stepUpgrade},
		{"lookup of an aligned write", Linux612, func(_ *Call, w *known) { w.noLookup = true }, "answer of a lookup", 1, stepUpgrade},
		{"checks that cannot be", Linux73, func(_ *Call, w *known) { w.checks.IDisksize = 1 << 40 }, "contradiction: i_disksize beyond i_size", 1, stepUseDio},
		{"lookup that cannot be", Linux61, func(_ *Call, w *known) { w.result.Ret = 100 }, "contradiction: a lookup found more blocks than it was asked for", 1, stepExtendDisk},
		{"lookup that cannot be", Linux612, func(_ *Call, w *known) { w.result.Ret = 100 }, "contradiction: a lookup found more blocks than it was asked for", 1, stepUnaligned},
		{"file_modified", Linux61, func(_ *Call, w *known) { w.noModified = true }, "return value of file_modified", 1, stepUpgrade},
		{"file_modified", Linux612, func(_ *Call, w *known) { w.noModified = true }, "return value of file_modified", 1, stepDrain},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/"+tt.v.String(), func(t *testing.T) {
			c, w := plain()
			tt.set(&c, &w)
			var d Decision
			Decide(&d, &c, &w, tt.v)
			last := d.Steps()[len(d.Steps())-1].ID
			if d.Known() || d.Missing != tt.missing || d.Passes != tt.passes || last != tt.last {
				t.Errorf("ends at %s, missing %q, %d passes, last step %d; want missing %q, %d passes, last step %d",
					d.End, d.Missing, d.Passes, last, tt.missing, tt.passes, tt.last)
			}
		})
	}
}

// TestShownSteps: the steps whose answers nothing else depends on, in the words in
// which they are shown.
func TestShownSteps(t *testing.T) {
	tests := []struct {
		name string
		v    Variant
		set  func(*Call, *known)
		want []string // in this order, among others
	}{
		{"nothing to write", Linux73, func(c *Call, w *known) { c.Len, w.checks.Count = 0, 0 }, []string{
			"ext4_generic_write_checks: ki_pos 0, result 0: the write ends here",
		}},
		{"refused by the checks", Linux73, func(_ *Call, w *known) { w.checks.Count = -27 }, []string{
			"ext4_generic_write_checks: ki_pos 0, result -27: the write ends here",
		}},
		{"a lookup that was not seen", Linux612, func(_ *Call, w *known) { w.noLookup = true }, []string{
			"ext4_map_blocks: block 0, 2 blocks: not known",
			"ext4_dio_write_checks: needs more than the shared lock: not known",
		}},
		{"restart", Linux73, func(_ *Call, w *known) { w.checks.Nosec = false }, []string{
			"ext4_generic_write_checks: ki_pos 0, result 8192: go on",
			"IS_NOSEC: no security info to remove: no: needs the exclusive lock",
			"ext4_dio_write_checks: needs more than the shared lock: yes",
			"ext4_dio_write_checks: restart with the exclusive lock: yes",
			"ext4_generic_write_checks: ki_pos 0, result 8192: go on",
			"iomap_dio_rw: entered with i_rwsem: exclusive",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, w := plain()
			tt.set(&c, &w)
			var d Decision
			Decide(&d, &c, &w, tt.v)
			var got []string
			for _, s := range d.Steps() {
				got = append(got, s.String())
			}
			rest := got
			for _, want := range tt.want {
				i := slices.Index(rest, want)
				if i < 0 {
					t.Fatalf("no step %q in its place:\n%q", want, got)
				}
				rest = rest[i+1:]
			}
		})
	}
}

// TestPassOfSteps: each step is shown with the pass that it belongs to; what follows
// the checks belongs to the last.
func TestPassOfSteps(t *testing.T) {
	passes := func(d *Decision) (out [2][]StepID) {
		for _, s := range d.Steps() {
			if int(s.Pass) >= len(out) {
				t.Fatalf("step %d is of pass %d", s.ID, s.Pass)
			}
			out[s.Pass] = append(out[s.Pass], s.ID)
		}
		return out
	}
	var d Decision
	c, w := plain()
	w.checks.Nosec = false
	Decide(&d, &c, &w, Linux612)
	checks := []StepID{stepChecks, stepExtendSize, stepExtendDisk, stepUnaligned, stepOverwrite, stepUnwritten}
	want := [2][]StepID{
		slices.Concat([]StepID{stepGuess, stepFirstLock, stepUseDio}, checks, []StepID{stepNosec, stepUpgrade, stepRestart}),
		slices.Concat(checks, []StepID{stepSync, stepDrain, stepModified, stepOrphan, stepOps, stepDio}),
	}
	for i, got := range passes(&d) {
		if !slices.Equal(got, want[i]) {
			t.Errorf("restart: steps of pass %d: %d, want %d", i, got, want[i])
		}
	}
	c, w = plain()
	c.Flags, w.modified = IocbNowait, EAGAIN
	Decide(&d, &c, &w, Linux73)
	if got := passes(&d); d.End != EndN4 || len(got[1]) > 0 {
		t.Errorf("N4: ends at %s, steps of the second pass: %d", d.End, got[1])
	}
	want4 := Step{ID: stepEnd, Pass: 0, Answer: Yes, A: int64(EndN4)}
	if got := d.Steps()[len(d.Steps())-1]; got != want4 {
		t.Errorf("N4: last step %+v, want %+v", got, want4)
	}
	c, w = plain()
	c.Flags, c.ISize, w.checks.ISize, w.checks.IDisksize = IocbNowait, 4096, 4096, 4096
	for _, v := range []Variant{Linux61, Linux73} {
		Decide(&d, &c, &w, v)
		want3 := Step{ID: stepEnd, Pass: 0, Answer: Yes, A: int64(EndN3)}
		if got := d.Steps()[len(d.Steps())-1]; got != want3 || len(passes(&d)[1]) > 0 {
			t.Errorf("%s, N3: last step %+v, want %+v", v, got, want3)
		}
	}
}

// TestContradictionEnds: an impossible answer of a lookup is not shown as a test.
func TestContradictionEnds(t *testing.T) {
	tests := []struct {
		v     Variant
		never StepID
	}{{Linux61, stepOverwrite}, {Linux612, stepOverwrite}, {Linux73, stepHead}}
	for _, tt := range tests {
		c, w := plain()
		if tt.v == Linux73 { // looks partial blocks up only
			c.Pos, c.Len, w.checks.Pos, w.checks.Count = 512, 1024, 512, 1024
		}
		w.result.Ret = 9
		var d Decision
		Decide(&d, &c, &w, tt.v)
		if why, _ := d.Contradiction(); why != "a lookup found more blocks than it was asked for" {
			t.Errorf("%s: contradiction %q", tt.v, why)
		}
		for _, s := range d.Steps() {
			if s.ID == tt.never {
				t.Errorf("%s: %s", tt.v, s)
			}
		}
	}
}
