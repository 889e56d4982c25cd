package races

import (
	"fmt"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// fallback is ext4_buffered_write_iter for what is left: it takes i_rwsem
// exclusive, drains (patch 2), copies into the pages and releases i_rwsem.
// Nobody can tell these apart, as i_rwsem is held all the time.
func (m *machine) fallback(s *state, i int) {
	w := &s.w[i]
	from, to := int(w.pos), int(w.end)
	if m.sc.Writes[i].Append {
		from, to = int(s.isize), min(int(s.isize)+to-from, m.sc.limit())
	}
	m.say(i, "ext4_buffered_write_iter: i_rwsem exclusive%s", choose(m.fallbackDrains(), ", inode_dio_wait: i_dio_count is 0", ", no drain"))
	first, end := m.blocksOf(from, to)
	for b := first; b < end; b++ {
		m.copyIn(s, i, b, sectors(from, to)&m.blockSet(b))
	}
	if from >= to {
		*w = w.rest(done)
		return
	}
	s.extend(to, false)
	s.nosec = true
	w.wrote |= sectors(from, to)
	*w = w.rest(atFlush)
	w.pos, w.end = int8(from), int8(to)
	m.say(i, "%s in the page cache, i_size %d; i_rwsem released", sectors(from, to), s.isize)
}

// copyIn copies into the page of one block. A partly written page is read first,
// unless it is cached.
func (m *machine) copyIn(s *state, i, b int, set sectorSet) {
	all := m.blockSet(b)
	if s.pages[b] == absent && set != all {
		m.fill(s, b)
		m.say(i, "reads the page of block %d from disk", b)
	}
	s.cache.fill(set, dataOf(i))
	s.pages[b] = dirty
}

// fill brings a page into the page cache: what is on disk, or zeroes if the block
// holds nothing yet.
func (m *machine) fill(s *state, b int) {
	for k := b * m.spb; k < (b+1)*m.spb; k++ {
		c := zeroes
		if s.blocks[b] == model.Written {
			c = s.disk.at(k)
		}
		s.cache.set(k, c)
	}
	s.pages[b] = clean
}

// readPage is a buffered read of one page by somebody else.
func (m *machine) readPage(s *state, b int) {
	m.fill(s, b)
	for k := max(int(s.isize), b*m.spb); k < (b+1)*m.spb; k++ {
		s.cache.set(k, zeroes)
	}
	s.readDone = true
	m.say(-1, "a reader reads the page of block %d", b)
}

// writeback writes a dirty page: it allocates the block if there is none, and
// zeroes what lies behind i_size. The whole block lands at once.
func (m *machine) writeback(s *state, i, b int) {
	for k := b * m.spb; k < (b+1)*m.spb; k++ {
		c := s.cache.at(k)
		if k >= int(s.isize) {
			c = zeroes
		}
		s.disk.set(k, c)
		s.cache.set(k, c)
	}
	s.blocks[b], s.pages[b] = model.Written, clean
	s.disksize = max(s.disksize, min(s.isize, int8((b+1)*m.spb)))
	m.say(i, "writeback of the page of block %d: %s", b, m.blockSet(b))
}

// flush is the end of the fallback: it writes its pages and drops them.
func (m *machine) flush(s *state, i int) {
	w := &s.w[i]
	m.flushRange(s, i, int(w.pos), int(w.end))
	*w = w.rest(done)
	m.say(i, "flushed and invalidated its pages")
}

// flushRange writes the dirty pages over the sectors [from, to) and drops all.
func (m *machine) flushRange(s *state, i, from, to int) {
	first, end := m.blocksOf(from, to)
	for b := first; b < end; b++ {
		if s.pages[b] == dirty {
			m.writeback(s, i, b)
		}
		m.drop(s, b)
	}
}

// invalidate drops the pages of a completed write. A dirty one stays, and the
// kernel reports it: fsync returns -EIO.
func (m *machine) invalidate(s *state, i, from, to int) {
	first, end := m.blocksOf(from, to)
	for b := first; b < end; b++ {
		if s.pages[b] != dirty {
			m.drop(s, b)
			continue
		}
		s.warned = true
		m.say(i, "kiocb_invalidate_post_direct_write: the page of block %d is dirty: fsync returns -EIO", b)
	}
}

func (m *machine) drop(s *state, b int) {
	s.pages[b] = absent
	s.cache.fill(m.blockSet(b), zeroes)
}

// blockRun is a run of blocks, one bit each.
type blockRun sectorSet

// blockRunOf is the blocks [from, to).
func blockRunOf(from, to int) blockRun { return blockRun(sectors(from, to)) }

// String is the run, both ends included.
func (r blockRun) String() string {
	first, last := sectorSet(r).first(), sectorSet(r).last()
	if first == last {
		return fmt.Sprintf("block %d", first)
	}
	return fmt.Sprintf("blocks %d-%d", first, last)
}
