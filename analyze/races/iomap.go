package races

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// enterDio is the beginning of iomap_dio_rw: drain, flush and invalidate the
// pages, i_dio_count++. Then it takes the first mapping.
func (m *machine) enterDio(s *state, i int) {
	w := &s.w[i]
	if w.drain {
		m.say(i, "inode_dio_wait: i_dio_count is 0")
	}
	w.drain = false
	m.flushRange(s, i, int(w.pos), int(w.end))
	w.dio = true
	m.say(i, "iomap_dio_rw: i_dio_count %d", s.dioCount())
	m.mapNext(s, i)
}

// mapNext is one round of ext4_iomap_begin and iomap_dio_bio_iter.
func (m *machine) mapNext(s *state, i int) {
	w := &s.w[i]
	w.phase = atMap
	from := int(w.next)
	mp := m.begin(s, from, int(w.end))
	if mp.Err != 0 {
		m.say(i, "ext4_iomap_begin: block %d is a hole: -ENOTBLK, the rest goes to the buffered fallback", from/m.spb)
		w.nbio, w.phase = true, atWait
		return
	}
	to := min(int(w.end), (from/m.spb+int(mp.Len))*m.spb)
	m.submit(s, i, from, to, mp)
	w.next = int8(to)
	if to < int(w.end) {
		return
	}
	w.phase = atWait
	if w.queue {
		w.phase, w.held = queued, model.Unlocked
		m.say(i, "returns -EIOCBQUEUED; i_rwsem released")
	}
}

// begin is ext4_iomap_begin for the sectors [from, to). Blocks of one kind are one
// mapping.
func (m *machine) begin(s *state, from, to int) model.Mapping {
	b, end := m.blocksOf(from, to)
	n := s.run(b, end-b)
	kind := s.blocks[b]
	if to <= int(s.isize) && (kind == model.Written || kind == model.Unwritten && m.variant.Has(model.SplitAtEndIO)) {
		return model.SetIomap(uint32(b), model.Found(kind, uint32(n)))
	}
	flags := model.AllocFlags(m.variant, inBytes(b*m.spb), inBytes(int(s.isize)), m.sc.Format == Extents)
	r := model.Create(kind, uint32(n), flags)
	if r.Ret == 0 {
		return model.Mapping{Err: model.ENOTBLK}
	}
	mp := model.SetIomap(uint32(b), r)
	for k := b; k < b+n; k++ {
		s.blocks[k] = model.Written
		if mp.Type == model.IomapUnwritten {
			s.blocks[k] = model.Unwritten
		}
	}
	return mp
}

// submit is iomap_dio_bio_iter: the data bio and the zero bios around it.
func (m *machine) submit(s *state, i, from, to int, mp model.Mapping) {
	w := &s.w[i]
	w.conv = w.conv || mp.Type == model.IomapUnwritten
	data := sectors(from, to)
	w.bios[dataBio] |= data
	w.wrote |= data
	if w.undrained {
		w.apart |= data
	}
	isize := inBytes(int(s.isize))
	head := model.Head(inBytes(from), m.sc.Blkbits, mp.Type, mp.Flags)
	tail := model.Tail(inBytes(to), isize, m.sc.Blkbits, mp.Type, mp.Flags)
	kind := zeroBio
	if to == int(s.isize) && model.EOFTail(tail.Pos, isize, mp.Type, mp.Flags) {
		kind = eofBio
	}
	w.bios[zeroBio] |= setOf(head)
	w.bios[kind] |= setOf(tail)
	if m.log == nil {
		return
	}
	m.say(i, "ext4_iomap_begin: %s: %s", blockRunOf(from/m.spb, from/m.spb+int(mp.Len)), mappingText(mp))
	if head.Len > 0 {
		m.say(i, "submits zero bio: head, %s", setOf(head))
	}
	m.say(i, "submits data bio: %s", data)
	if tail.Len > 0 {
		m.say(i, "submits zero bio: tail%s, %s", choose(kind == eofBio, " behind i_size of a written block", ""), setOf(tail))
	}
}

// setOf is the sectors of a range of bytes.
func setOf(r model.Range) sectorSet {
	return sectors(int(r.Pos>>sectorBits), int((r.Pos+r.Len)>>sectorBits))
}

func mappingText(mp model.Mapping) string {
	text := "mapped"
	if mp.Type == model.IomapUnwritten {
		text = "unwritten"
	}
	if mp.Flags&model.IomapFNew != 0 {
		text += ", new"
	}
	return text
}

// land lets the bios of one kind over one block reach the disk.
func (m *machine) land(s *state, i int, kind bioKind, b int) {
	w := &s.w[i]
	set := w.bios[kind] & m.blockSet(b)
	w.bios[kind] &^= set
	s.disk.fill(set, [bioKinds]content{dataOf(i), zeroes, eofZero}[kind])
	m.say(i, "%s bio lands: %s", choose(kind == dataBio, "data", "zero"), set)
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
	m.say(i, "end_io: ext4_convert_unwritten_extents: %s written", blockRunOf(from, to))
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
	m.say(i, "iomap_dio_complete: i_size %d, i_dio_count %d%s", s.isize, s.dioCount(),
		choose(w.held == model.Unlocked, "", "; i_rwsem released"))
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
