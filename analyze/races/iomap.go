package races

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// mapping is one iomap: a run of blocks, or -ENOTBLK.
type mapping struct {
	blocks     int
	typ, flags uint16
	notblk     bool
}

// enterDio is the beginning of iomap_dio_rw: drain, flush and invalidate the
// pages, i_dio_count++. Then it takes the first mapping.
func (m *machine) enterDio(s *state, i int) {
	w := &s.w[i]
	if m.log != nil && w.drain {
		m.say(i, "inode_dio_wait: i_dio_count is 0")
	}
	w.drain = false
	m.flushRange(s, i, int(w.pos), int(w.end))
	w.dio = true
	if m.log != nil {
		m.say(i, "iomap_dio_rw: i_dio_count %d", s.dioCount())
	}
	m.mapNext(s, i)
}

// mapNext is one round of ext4_iomap_begin and iomap_dio_bio_iter.
func (m *machine) mapNext(s *state, i int) {
	w := &s.w[i]
	w.phase = atMap
	from := int(w.next)
	mp := m.begin(s, from, int(w.end))
	if mp.notblk {
		if m.log != nil {
			m.say(i, "ext4_iomap_begin: block %d is a hole: -ENOTBLK, the rest goes to the buffered fallback", from/m.spb)
		}
		w.nbio, w.phase = true, atWait
		return
	}
	to := min(int(w.end), (from/m.spb+mp.blocks)*m.spb)
	m.submit(s, i, from, to, mp)
	w.next = int8(to)
	if to < int(w.end) {
		return
	}
	w.phase = atWait
	if w.queue {
		w.phase, w.held = queued, model.Unlocked
		if m.log != nil {
			m.say(i, "returns -EIOCBQUEUED; i_rwsem released")
		}
	}
}

// begin is ext4_iomap_begin for the sectors [from, to).
func (m *machine) begin(s *state, from, to int) mapping {
	b, end := m.blocksOf(from, to)
	n := s.run(b, end-b)
	kind := s.blocks[b]
	if to <= int(s.isize) {
		switch {
		case kind == model.Written:
			return mapping{blocks: n, typ: model.IomapMapped}
		case kind == model.Unwritten && m.variant.Has(model.SplitAtEndIO):
			return mapping{blocks: n, typ: model.IomapUnwritten}
		}
	}
	return m.alloc(s, b, n)
}

// alloc is ext4_iomap_alloc for n blocks of one kind from b on.
func (m *machine) alloc(s *state, b, n int) mapping {
	flags := model.AllocFlags(m.variant, inBytes(b*m.spb), inBytes(int(s.isize)), m.sc.Format == Extents)
	mp := mapping{blocks: n, typ: model.IomapMapped}
	kind := s.blocks[b]
	switch {
	case kind == model.Written:
		return mp
	case flags == 0:
		return mapping{notblk: true}
	case flags == model.GetBlocksCreate:
		m.setBlocks(s, b, n, model.Written)
		mp.flags = model.IomapFNew
		return mp
	case kind == model.Unwritten && m.variant.Has(model.SplitAtEndIO):
		mp.typ = model.IomapUnwritten
		return mp
	}
	m.setBlocks(s, b, n, model.Unwritten)
	mp.typ, mp.flags = model.IomapUnwritten, model.IomapFNew
	return mp
}

func (m *machine) setBlocks(s *state, b, n int, kind model.BlockState) {
	for k := b; k < b+n; k++ {
		s.blocks[k] = kind
	}
}

// submit is iomap_dio_bio_iter: the data bio and the zero bios around it.
func (m *machine) submit(s *state, i, from, to int, mp mapping) {
	w := &s.w[i]
	w.conv = w.conv || mp.typ == model.IomapUnwritten
	data := sectors(from, to)
	w.bios[dataBio] |= data
	w.wrote |= data
	if w.undrained {
		w.apart |= data
	}
	isize := inBytes(int(s.isize))
	head := model.Head(inBytes(from), m.sc.Blkbits, mp.typ, mp.flags)
	tail := model.Tail(inBytes(to), isize, m.sc.Blkbits, mp.typ, mp.flags)
	kind := zeroBio
	if to == int(s.isize) && model.EOFTail(tail.Pos, isize, mp.typ, mp.flags) {
		kind = eofBio
	}
	w.bios[zeroBio] |= setOf(head)
	w.bios[kind] |= setOf(tail)
	if m.log == nil {
		return
	}
	m.say(i, "ext4_iomap_begin: %s: %s", blocksText(from/m.spb, from/m.spb+mp.blocks), mp)
	if head.Len > 0 {
		m.say(i, "submits zero bio: head, %s", rangeText(setOf(head)))
	}
	m.say(i, "submits data bio: %s", rangeText(data))
	if tail.Len > 0 {
		m.say(i, "submits zero bio: tail%s, %s", choose(kind == eofBio, " behind i_size of a written block", ""), rangeText(setOf(tail)))
	}
}

// setOf is the sectors of a range of bytes.
func setOf(r model.Range) sectorSet {
	return sectors(int(r.Pos>>sectorBits), int((r.Pos+r.Len)>>sectorBits))
}

func (mp mapping) String() string {
	text := "mapped"
	if mp.typ == model.IomapUnwritten {
		text = "unwritten"
	}
	if mp.flags&model.IomapFNew != 0 {
		text += ", new"
	}
	return text
}

// land lets the bios of one kind over one block reach the disk.
func (m *machine) land(s *state, i int, kind bioKind, b int) {
	w := &s.w[i]
	set := w.bios[kind] & m.blockSet(b)
	w.bios[kind] &^= set
	c := [bioKinds]content{dataOf(i), zeroes, eofZero}[kind]
	for k := range maxSectors {
		if set.has(k) {
			s.disk.set(k, c)
		}
	}
	if m.log != nil {
		m.say(i, "%s bio lands: %s", choose(kind == dataBio, "data", "zero"), rangeText(set))
	}
}

// convert is ext4_convert_unwritten_extents in end_io.
func (m *machine) convert(s *state, i int) {
	w := &s.w[i]
	w.conv = false
	from, to := m.blocksOf(int(w.pos), int(w.next))
	for b := from; b < to; b++ {
		if s.blocks[b] == model.Unwritten {
			s.blocks[b] = model.Written
		}
	}
	if m.log != nil {
		m.say(i, "end_io: ext4_convert_unwritten_extents: %s written", blocksText(from, to))
	}
}

// complete is the rest of iomap_dio_complete: i_size, the pages, i_dio_count--;
// then the writer, if it waited, lets go of i_rwsem.
func (m *machine) complete(s *state, i int) {
	w := &s.w[i]
	if w.next > w.pos {
		s.extend(int(w.next), true)
		m.invalidate(s, i, int(w.pos), int(w.next))
	}
	w.dio = false
	if m.log != nil {
		m.say(i, "iomap_dio_complete: i_size %d, i_dio_count %d%s", s.isize, s.dioCount(),
			choose(w.held == model.Unlocked, "", "; i_rwsem released"))
	}
	next, end := w.next, w.end
	if !w.nbio {
		*w = w.rest(done)
		return
	}
	*w = w.rest(atFallback)
	w.pos, w.end = next, end
}

// extend moves i_size, and i_disksize if the blocks are on disk.
func (s *state) extend(end int, onDisk bool) {
	s.isize = max(s.isize, int8(end))
	if onDisk {
		s.disksize = max(s.disksize, int8(end))
	}
}
