package storm

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// session is a scene that is being carried out.
type session struct {
	*runner
	sc     *scene
	f      *file
	before []byte // what the file held before the round, to tell what a wrong byte is

	number int // of the round, from 0
	round  *round
	made   []entry // all writes of the round, by writer
}

func (s *session) name() string { return s.now.Name + "/" + s.sc.name }

// play carries out a round and asks the oracles.
func (s *session) play(ctx context.Context, number int) error {
	s.number, s.round = number, &s.sc.rounds[number]
	s.before = slices.Clone(s.f.Shadow.Bytes)
	if err := s.write(); err != nil {
		return err
	}
	s.now.Rounds++
	s.now.Writes += len(s.made)
	if err := s.account(ctx); err != nil {
		return err
	}
	for i := range s.made {
		if err := s.made[i].result.Err; errors.Is(err, unix.ENOSPC) {
			return err
		}
	}
	return s.check()
}

// prepare does what comes before the first round. It leaves nothing in the page cache.
func (s *session) prepare() error {
	cached := false
	for i, a := range s.sc.before {
		var data []byte
		if a.op == opWritten {
			data = make([]byte, a.len)
			shadow.Fill(data, tagOf(s.Seed, s.name(), s.number, -1, i), a.off)
			cached = true
		}
		if err := s.do(a, data); err != nil {
			return err
		}
	}
	if !cached {
		return nil
	}
	return s.settle()
}

// settle writes the file back and drops its pages. Where a direct write cannot drop a page
// that a buffered one has made dirty again, the next fsync of the file returns -EIO, once
// (dio_warn_stale_pagecache in mm/filemap.c): storms let these meet on purpose. A disk that
// fails says so again.
func (s *session) settle() error {
	err := workload.SyncAndDrop(s.f.Buffered)
	if errors.Is(err, unix.EIO) {
		err = workload.SyncAndDrop(s.f.Buffered)
	}
	return err
}

// do does an act. Blocks that an inode without extents cannot have allocated before
// they are written stay holes.
func (s *session) do(a act, data []byte) error {
	err := s.f.do(a, data)
	if a.op == opAllocate && !s.sc.unwritten && errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// write makes the writes of the round, with what goes on meanwhile, and notes in the
// shadow what they wrote. Appends are taken from the file.
func (s *session) write() error {
	s.made = nil
	var jobs []*job
	for n := range s.round.writers {
		w := &s.round.writers[n]
		s.substitute(w)
		first := len(s.made)
		j := &job{w: w, fd: s.f.Direct, bs: int64(s.dir.FS.BlockSize)}
		if w.append {
			j.fd = s.f.append
		}
		j.fill = func(i int, b []byte) { s.fill(first+i, b) }
		for i := range w.pieces {
			s.made = append(s.made, entry{w: w, number: n, i: i})
		}
		jobs = append(jobs, j)
	}
	if err := s.team.run(jobs, s.meanwhile); err != nil {
		return err
	}
	n := 0
	for _, j := range jobs {
		for _, res := range j.results {
			s.made[n].result = res
			n++
		}
	}
	if !s.sc.appends {
		s.wrote()
	}
	return nil
}

// fill writes the bytes of write n of the round.
func (s *session) fill(n int, b []byte) {
	e := &s.made[n]
	t := tagOf(s.Seed, s.name(), s.number, e.number, e.i)
	if s.sc.appends {
		fillRecord(b, t, n)
		return
	}
	shadow.Fill(b, t, e.piece().off)
}

// meanwhile does what goes on beside the writers, until over is closed where it is to
// be repeated.
func (s *session) meanwhile(over <-chan struct{}) error {
	for again := true; again; {
		for _, a := range s.round.meanwhile {
			if err := s.do(a, nil); err != nil {
				return err
			}
		}
		select {
		case <-over:
			again = false
		default:
			again = s.round.again
		}
	}
	return nil
}

// wrote notes what the writes left in the file. Those that failed come last: i_size is
// then what it is in the file.
func (s *session) wrote() {
	type part struct {
		off  int64
		data []byte
	}
	var failed []part
	for n := range s.made {
		p := s.made[n].piece()
		data := make([]byte, p.len)
		s.fill(n, data)
		done := max(s.made[n].result.Ret(), 0)
		if done > 0 {
			s.f.Shadow.Write(p.off, data[:done])
		}
		if done < p.len {
			failed = append(failed, part{p.off + done, data[done:]})
		}
	}
	for _, p := range failed {
		s.f.Shadow.Maybe(p.off, p.data)
	}
}
