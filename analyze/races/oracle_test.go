package races

import (
	"slices"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Each kind of wrong end is seen, and a right one is not.
func TestJudge(t *testing.T) {
	sc := &Scenario{
		Format: Extents, Blkbits: twoSectors, Blocks: []model.BlockState{model.Written, model.Unwritten}, ISize: 3,
		Writes: []Write{{Pos: 0, Len: 1}, {Pos: 2, Len: 1}, {Append: true, Len: 1}},
	}
	right := sc.start()
	right.isize = 4
	right.blocks[1] = model.Written
	right.disk = row(dataOf(0)) | row(initial)<<4 | row(dataOf(1))<<8 | row(dataOf(2))<<12
	for i, set := range []sectorSet{1, 4, 8} {
		right.w[i] = writer{phase: done, wrote: set}
	}
	for _, tt := range []struct {
		name  string
		spoil func(*state)
		want  []Class
	}{
		{"right", func(*state) {}, nil},
		{"zero over data", func(s *state) { s.disk.set(0, zeroes) }, []Class{Lost}},
		{"old data", func(s *state) { s.disk.set(0, initial) }, []Class{Lost}},
		{"initial data gone", func(s *state) { s.disk.set(1, zeroes) }, []Class{Lost}},
		{"foreign data", func(s *state) { s.disk.set(1, dataOf(0)) }, []Class{Lost}},
		{"not converted", func(s *state) { s.blocks[1] = model.Unwritten }, []Class{Lost, Lost}},
		{"stale", func(s *state) { s.disk.set(2, stale) }, []Class{Stale}},
		{"pad, drained", func(s *state) { s.disk.set(3, eofZero) }, []Class{Lost}},
		{"pad, undrained", func(s *state) { s.disk.set(3, eofZero); s.w[2].apart = 8 }, []Class{EOFTail}},
		{"page", func(s *state) { s.pages[0], s.cache = clean, row(initial)|row(initial)<<4 }, []Class{PageCache}},
		{"same page", func(s *state) { s.pages[0], s.cache = clean, s.disk&255 }, nil},
		{"warned", func(s *state) { s.warned = true }, []Class{Invalidate}},
		{"short", func(s *state) { s.isize = 3 }, []Class{ISize}},
		{"stuck", func(s *state) { s.w[1].phase = atLock }, []Class{Stuck}},
		{"undecided", func(s *state) { s.undecided = true }, []Class{Undecided}},
		{"overlap, either", func(s *state) { s.w[1].wrote |= 1 }, nil},
		{"append in the place of a write", func(s *state) { s.w[0].wrote |= 8 }, nil},
	} {
		s := right
		tt.spoil(&s)
		var got []Class
		for _, l := range newMachine(sc, model.Linux73, NoFault).judge(&s) {
			got = append(got, l.class)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestRow(t *testing.T) {
	var r row
	for i := range maxSectors {
		r.set(i, dataOf(2))
		r.set(i, content(i%4))
	}
	for i := range maxSectors {
		if r.at(i) != content(i%4) {
			t.Errorf("sector %d: %v", i, r.at(i))
		}
	}
	if s := sectors(3, 8); s != 0xf8 || s.first() != 3 || s.last() != 7 {
		t.Errorf("sectors(3, 8) = %#x", s)
	}
}
