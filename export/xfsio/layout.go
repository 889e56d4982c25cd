package xfsio

import (
	"cmp"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// create makes a new file, empty and as the first write found the inode.
func (w *Writer) create(f *file, n int, r *export.Row) {
	path := cmp.Or(r.Path, "path not known")
	w.line("")
	w.line(fmt.Sprintf("# File %d: inode %d on %s, blocks of %d bytes: %s", n, r.Ino, export.DevName(r.Dev), 1<<f.blkbits, export.Safe(path)))
	if w.test != nil {
		w.createInTest(f, n)
	} else {
		w.line(fmt.Sprintf(`f%d=e4d-%d; new "$f%d"; : >"$f%d" || exit 3`, n, n, n, n))
		w.line(fmt.Sprintf(`case $(stat -f -c %%s . 2>/dev/null) in %d|"") ;; *) say "note: file %d was on blocks of %d bytes" ;; esac`,
			1<<f.blkbits, n, 1<<f.blkbits))
	}
	if c := lastCheck(r); c != nil {
		if c.Flags&record.PassExtents == 0 {
			w.line("must chattr -e " + f.word)
		}
		for _, k := range [...]struct {
			flag uint16
			what string
		}{{record.PassEncrypted, "encrypted"}, {record.PassInline, "with inline data"}, {record.PassJournal, "with journalled data"}} {
			if c.Flags&k.flag != 0 {
				w.comment("The inode was %s; this one is not.", k.what)
			}
		}
	}
	// A first write makes the kernel remember that there are no privileges to remove.
	w.must(f, xfsio.Write{Len: 1, Quiet: true, Pattern: 0x40}.String(), xfsio.Truncate(0))
}

// must writes commands of the layout, without which the rest makes no sense.
func (w *Writer) must(f *file, commands ...string) {
	w.line("must " + xfsio.Line("", f.word, commands...))
}

func lastCheck(r *export.Row) *observe.Pass {
	if n := len(r.Facts.Checks); n > 0 {
		return &r.Facts.Checks[n-1]
	}
	return nil
}

// layOut makes the file what r found: its size, and the blocks that were seen.
func (w *Writer) layOut(f *file, r *export.Row) {
	size, disksize := r.Facts.ISize, int64(-1)
	if c := lastCheck(r); c != nil {
		size, disksize = c.ISize, c.IDisksize
	}
	before := w.lines
	if f.size != size {
		w.truncate(f, size)
	}
	if disksize >= 0 && disksize != size {
		w.comment("i_disksize was %d, i_size %d: that is not laid out", disksize, size)
	}
	for _, p := range found(r) {
		w.make(f, p, size)
	}
	if w.lines > before {
		w.line("must " + xfsio.Forget(f.word))
	}
}

// truncate sets i_size. Blocks beyond it are gone then.
func (w *Writer) truncate(f *file, size int64) {
	if f.size < 0 || size <= f.size {
		f.blocks.cut(blocksUp(size, f.blkbits))
	}
	w.must(f, xfsio.Truncate(size))
	f.data.Truncate(size)
	f.size = size
}

func blocksUp(n int64, blkbits uint8) int64 { return (n + 1<<blkbits - 1) >> blkbits }

// make brings the blocks of a piece into its state, where they are not in it.
func (w *Writer) make(f *file, want piece, size int64) {
	var todo []piece
	f.blocks.each(want.from, want.to, func(p piece) {
		if p.state != want.state {
			todo = append(todo, p)
		}
	})
	for _, p := range todo {
		off, n := p.from<<f.blkbits, (p.to-p.from)<<f.blkbits
		switch want.state {
		case written:
			if off >= size {
				w.comment("blocks %d to %d were written, beyond i_size: that is not laid out", p.from, p.to-1)
				continue
			}
			w.must(f, xfsio.Write{Off: off, Len: min(n, size-off), Block: 1 << 20, Quiet: true, Pattern: 0x40}.String())
			f.data.Write(off, min(n, size-off), 0x40)
			if end := blocksUp(size, f.blkbits); p.to > end {
				f.blocks.set(p.from, end, written)
				w.comment("blocks %d to %d were written, beyond i_size: that is not laid out", end, p.to-1)
				continue
			}
		case unwritten:
			w.punch(f, p, size)
			w.must(f, xfsio.KeepSize(off, n))
		case hole:
			w.punch(f, p, size)
		}
		f.blocks.set(p.from, p.to, want.state)
	}
}

// punch makes a hole of a piece that may be none.
func (w *Writer) punch(f *file, p piece, size int64) {
	if p.state == hole {
		return
	}
	if end := blocksUp(size, f.blkbits); p.to > end {
		// Punching does nothing there; setting the same i_size frees the blocks.
		w.must(f, xfsio.Truncate(size))
		f.blocks.cut(end)
	}
	off := p.from << f.blkbits
	if off < size {
		w.must(f, xfsio.Punch(off, (p.to-p.from)<<f.blkbits))
		f.data.Zero(off, (p.to-p.from)<<f.blkbits)
	}
}

// found are the states of blocks before r changed them: first what its mappings tell,
// then what the lookups of the first checks saw, which is older and more exact.
func found(r *export.Row) []piece {
	bits := r.Facts.Blkbits
	from, to := r.Pos>>bits, blocksUp(r.Pos+r.Len, bits)
	var out []piece
	add := func(a, b int64, s state) {
		if a, b = max(a, from), min(b, to); a < b && s != unknown {
			out = append(out, piece{a, b, s})
		}
	}
	seen := blocks{rest: unknown}
	for i := range r.Mappings {
		m := &r.Mappings[i]
		a := m.Offset >> bits
		seen.set(a, max(a, (m.Offset+m.Length)>>bits), mappedState(m))
	}
	for _, l := range r.Lookups {
		n := int64(max(l.Ret, 0))
		if l.State == model.Hole {
			n = 1 // of a hole only the first block is sure
		}
		if l.Pass == 0 {
			seen.set(int64(l.Lblk), int64(l.Lblk)+min(n, int64(l.Len)), stateOf(l.State))
		}
	}
	seen.each(from, to, func(p piece) { add(p.from, p.to, p.state) })
	return out
}

// mappedState is the state of the blocks of a mapping before it was made.
func mappedState(m *observe.Mapping) state {
	switch {
	case m.Err != 0:
		return unknown
	case m.Flags&model.IomapFNew != 0, m.Type == model.IomapHole:
		return hole
	case m.Type == model.IomapUnwritten:
		return unwritten
	case m.Type != model.IomapMapped:
		return unknown
	case m.Allocated() && m.LookedUp:
		return unwritten // else the lookup would have been enough
	}
	return written
}
