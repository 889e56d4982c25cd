package races

import (
	"fmt"
	"slices"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Class is a kind of finding.
type Class uint8

// The classes. Lost and Stale are bytes; the others are what goes with them.
const (
	// Lost: a sector does not hold what its only writer wrote, or the initial data
	// of a sector that nobody wrote is gone.
	Lost Class = iota
	// Stale: a sector shows what its block held before it was allocated.
	Stale
	// PageCache: a clean page differs from the disk.
	PageCache
	// Invalidate: a completion found a dirty page in its range. No byte is lost by
	// that, but the kernel warns and the next fsync returns -EIO.
	Invalidate
	// ISize: i_size does not cover a write that returned.
	ISize
	// Stuck: a writer waits for ever.
	Stuck
	// Undecided: the model gave no decision.
	Undecided
	// EOFTail: a byte lost to the zero bio of a pad at i_size in a written block.
	// It is known, older than the series, and listed apart. It takes an async write
	// that ends at i_size and an aligned one that extends.
	EOFTail
	classes
)

var classNames = [classes]string{
	"lost", "stale", "page cache", "invalidate", "i_size", "stuck", "undecided", "eof-tail",
}

func (c Class) String() string { return classNames[c] }

// MarshalText writes the name.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// loss is one thing that is wrong at the end of a run.
type loss struct {
	class Class
	text  string
}

// judge says what is wrong in a state in which nothing can happen any more.
func (m *machine) judge(s *state) []loss {
	var out []loss
	for i := range m.sc.Writes {
		if s.w[i].phase != done {
			out = append(out, loss{Stuck, fmt.Sprintf("%s waits for ever", name(i))})
		}
	}
	if len(out) > 0 {
		return out
	}
	if s.undecided {
		out = append(out, loss{Undecided, "the model gave no decision"})
	}
	if s.warned {
		out = append(out, loss{Invalidate, "a completed direct write found a dirty page in its range: the next fsync returns -EIO"})
	}
	out = m.judgeISize(s, out)
	for k := range int(s.isize) {
		out = m.judgeSector(s, k, out)
	}
	return out
}

func (m *machine) judgeISize(s *state, out []loss) []loss {
	want := m.sc.ISize
	for i := range m.sc.Writes {
		if wrote := s.w[i].wrote; wrote != 0 {
			want = max(want, wrote.last()+1)
		}
	}
	if int(s.isize) != want {
		out = append(out, loss{ISize, fmt.Sprintf("i_size is %d, not %d", s.isize, want)})
	}
	return out
}

// judgeSector compares one sector inside i_size with what it may hold.
func (m *machine) judgeSector(s *state, k int, out []loss) []loss {
	b := k / m.spb
	got := zeroes // of a block that holds nothing yet
	if s.blocks[b] == model.Written {
		got = s.disk.at(k)
	}
	if s.pages[b] == clean && !same(s.cache.at(k), got) {
		out = append(out, loss{PageCache, fmt.Sprintf("sector %d of block %d: the page holds %s, the disk %s", k%m.spb, b, s.cache.at(k), got)})
	}
	want, ok := m.want(s, k, got)
	if ok {
		return out
	}
	class := Lost
	switch got {
	case stale:
		class = Stale
	case eofZero:
		if m.apart(s, k) {
			class = EOFTail
		}
	}
	return append(out, loss{class, fmt.Sprintf("sector %d of block %d holds %s%s", k%m.spb, b, got, want)})
}

// apart reports whether a write that extended without a drain wrote sector k
// directly. Only then is the loss to a pad at i_size the known one.
func (m *machine) apart(s *state, k int) bool {
	return slices.ContainsFunc(s.w[:], func(w writer) bool { return w.apart.has(k) })
}

func same(a, b content) bool { return a == b || a.zero() && b.zero() }

// want says whether sector k may hold got, and if not, what is missing there.
func (m *machine) want(s *state, k int, got content) (string, bool) {
	var writers, appends sectorSet // sets of writers, not of sectors
	allowed := false
	for i, wr := range m.sc.Writes {
		if !s.w[i].wrote.has(k) {
			continue
		}
		writers |= 1 << i
		if wr.Append {
			appends |= 1 << i
		}
		allowed = allowed || got == dataOf(i)
	}
	switch {
	case writers == appends && appends.first() < appends.last():
		return fmt.Sprintf(": the appends of %s are in the same place", names(appends)), false
	case allowed:
		return "", true
	case writers != 0:
		return ", written by " + names(writers), false
	case m.sc.holds(k) == initial:
		return ", the initial data is gone", got == initial
	default:
		return ", where nobody wrote", got.zero()
	}
}

// names lists a set of writers.
func names(set sectorSet) string {
	var out []string
	for i := range maxWriters {
		if set.has(i) {
			out = append(out, name(i))
		}
	}
	return strings.Join(out, " and ")
}

func (c content) String() string {
	switch c {
	case zeroes, eofZero:
		return "zero"
	case stale:
		return "stale bytes"
	case initial:
		return "the initial data"
	default:
		return "data of " + name(int(c-dataOf0))
	}
}
