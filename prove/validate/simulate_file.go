package validate

import (
	"fmt"
	"maps"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// simFile is the file of a scenario in memory: what ext4 knows of it.
type simFile struct {
	bs         int64
	state      []byte // of each block: W, U, H or D; behind the last one is a hole
	size, disk int64  // i_size and i_disksize
	cached     map[int64]bool
	nosec      bool // S_NOSEC
	suid       bool // so that S_NOSEC is never set
	immutable  bool
	indirect   bool // without EXT4_EXTENTS_FL
	journalled bool // ext4 takes no direct I/O
	// cold: the extents of the judged blocks are not in the extent-status cache.
	cold bool
}

// simMax is how far a file in memory goes, bytes. Only wrong kernels write further.
const simMax = 1 << 30

func newSimFile(bs int64) *simFile { return &simFile{bs: bs, cached: map[int64]bool{}} }

func (f *simFile) clone() *simFile {
	c := *f
	c.state = append([]byte(nil), f.state...)
	c.cached = maps.Clone(f.cached)
	return &c
}

func (f *simFile) at(b int64) byte {
	if b < 0 || b >= int64(len(f.state)) {
		return 'H' // a wrong kernel may ask for block -1
	}
	return f.state[b]
}

// blocks calls fn with each block that a range of bytes touches.
func (f *simFile) blocks(off, n int64, fn func(b int64)) {
	for b := off / f.bs; n > 0 && b <= (off+n-1)/f.bs; b++ {
		fn(b)
	}
}

func (f *simFile) set(b int64, s byte) {
	for int64(len(f.state)) <= b {
		f.state = append(f.state, 'H')
	}
	f.state[b] = s
}

// run is the blocks of one state from b on, at most n. A hole goes on behind the
// last block that is described.
func (f *simFile) run(b, n int64) (state byte, got int64) {
	state = f.at(b)
	for got = 1; got < n && f.at(b+got) == state; got++ {
		if b+got >= int64(len(f.state)) {
			return state, n
		}
	}
	return state, min(got, max(n, 1))
}

// apply carries out a setup step and says what the scenario took for granted
// wrongly, or nothing.
func (f *simFile) apply(s *Setup) string {
	switch s.Op {
	case "fallocate":
		f.blocks(s.Off, s.Len, func(b int64) {
			if f.at(b) == 'H' {
				f.set(b, 'U')
			}
		})
		if !s.On {
			f.grow(s.Off + s.Len)
			f.disk = f.size
		}
	case "punch":
		f.blocks(s.Off, s.Len, func(b int64) { f.set(b, 'H') })
	case "truncate":
		f.truncate(s.Off)
	case "write":
		f.direct(s.Off, s.Len)
	case "prime":
		f.direct(s.Off, f.bs)
	case "buffered":
		f.buffered(s.Off, s.Len)
	case "read":
		f.blocks(s.Off, s.Len, func(b int64) { f.cached[b] = true })
	case "sync", "dropcache":
		f.flush(0, int64(len(f.state))-1)
		f.disk = f.size
		if s.Op == "dropcache" {
			f.cached = map[int64]bool{}
		}
	case "chmod":
		f.suid = s.Mode&unix.S_ISUID != 0
		f.nosec = f.nosec && !f.suid
	case "immutable":
		f.immutable = s.On
	case "noextents":
		f.indirect = true
	case "journalled":
		f.journalled = true
	case "forget":
		f.cold = true
	case "layout":
		return f.checkLayout(s.Layout)
	case "stale": // a write is taken to find stale timestamps unless it is "fresh"
	default:
		return "setup " + s.Op + " is not simulated"
	}
	return ""
}

func (f *simFile) grow(end int64) { f.size = max(f.size, end) }

func (f *simFile) truncate(size int64) {
	f.size, f.disk = size, size
	for b := (size + f.bs - 1) / f.bs; b < int64(len(f.state)); b++ {
		f.set(b, 'H')
		delete(f.cached, b)
	}
}

// flush writes back what is dirty in the blocks from first to last.
func (f *simFile) flush(first, last int64) {
	for b := first; b <= last; b++ {
		if f.at(b) == 'D' || f.at(b) == 'U' && f.cached[b] {
			f.set(b, 'W')
		}
	}
}

// direct is a direct write that was made in full.
func (f *simFile) direct(off, n int64) {
	f.blocks(off, n, func(b int64) {
		f.set(b, 'W')
		delete(f.cached, b)
	})
	f.grow(off + n)
	f.disk = max(f.disk, off+n)
	f.nosec = !f.suid
}

func (f *simFile) buffered(off, n int64) {
	f.blocks(off, n, func(b int64) {
		if f.at(b) == 'H' {
			f.set(b, 'D')
		}
		f.cached[b] = true
	})
	f.grow(off + n)
	f.nosec = !f.suid
}

// freshen is the write before one that is to find its time stamps current.
func (f *simFile) freshen(w *Write) {
	cold := f.cold
	f.direct(w.Fresh, f.bs)
	f.cold = cold // its extent is not that of the judged write
}

// checkLayout compares the first blocks with what the scenario counts on.
func (f *simFile) checkLayout(runs []Run) string {
	b := int64(0)
	for _, r := range runs {
		for range r.Blocks {
			if f.at(b) != byte(r.State) {
				return "the layout that the scenario counts on does not come of its setup"
			}
			b++
		}
		// A run ends where the next begins, or at the end of the text.
		if f.at(b) == byte(r.State) && r.State != workload.Hole && b*f.bs < f.size {
			return "a run of the layout is longer than the scenario says"
		}
	}
	return ""
}

// The bits of m_flags for each state, and what they are in 6.1.
var stateFlags = map[byte]uint32{'W': model.MapMapped, 'U': model.MapUnwritten, 'D': model.MapDelayed}

// lookup is ext4_map_blocks without flags, or with those of a lookup in the
// cache only, which misses when the cache is cold.
func (f *simFile) lookup(b, n int64, flags uint32) observe.Lookup {
	l := observe.Lookup{Lblk: uint32(b), Len: uint32(n), ArgFlags: flags}
	if flags != 0 && f.cold {
		l.Ret = -int32(unix.EAGAIN)
		return l
	}
	state, got := f.run(b, n)
	l.MFlags = stateFlags[state]
	if state == 'W' || state == 'U' {
		l.Ret = int32(got)
	}
	return l
}

// after brings the file to where a write that was made left it.
func (f *simFile) after(o *observe.Observation, extends bool) {
	if o.Stages.Has(record.StageFmod) && o.FmodRet == 0 {
		f.nosec = !f.suid
	}
	for _, m := range o.Mappings {
		if m.Err == 0 {
			f.cold = false
		}
	}
	for _, p := range o.Passes {
		for _, l := range p.Lookups {
			f.cold = f.cold && l.ArgFlags != 0
		}
	}
	if o.Ret <= 0 || len(o.Passes) == 0 {
		return
	}
	if pos := o.Passes[len(o.Passes)-1].Pos; pos+o.Ret < simMax {
		g := f.clone()
		f.direct(pos, o.Ret)
		f.nosec = g.nosec
		if !extends {
			f.size, f.disk = g.size, g.disk
		}
	}
}

// simWrite is a judged write, or one attempt of it.
type simWrite struct {
	*Write
	nowait, async bool
	stale         bool // the timestamps have to be updated
}

// align is iov_iter_alignment with n bytes left.
func (w *simWrite) align(n int64) int64 {
	bits := int64(0)
	at := int64(w.Buf)
	for _, s := range w.Segs {
		seg := min(int64(s), n)
		if seg == 0 {
			break
		}
		bits |= at | seg
		at, n = at+int64(s), n-seg
	}
	return bits
}

func (w *simWrite) append() bool { return w.Flags&unix.RWF_APPEND != 0 }

// String is the layout as scenarios write it, for messages.
func (f *simFile) String() string {
	var b strings.Builder
	for i := int64(0); i < int64(len(f.state)); {
		s, n := f.run(i, int64(len(f.state))-i)
		b.WriteString(fmt.Sprintf(" %c%d", s, n))
		i += n
	}
	return strings.TrimSpace(b.String())
}
