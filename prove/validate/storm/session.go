package storm

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// session is a scene that is being carried out.
type session struct {
	*runner
	sc     *scene
	f      *file
	before []byte // what the file held before the round, to tell what a wrong byte is

	number  int // of the round, from 0
	round   *round
	pieces  []place // all pieces of the round
	results []workload.Result
}

// place is where a piece is in a round.
type place struct{ writer, piece int }

func (s *session) tag(p place) tag { return tagOf(s.Seed, s.name(), s.number, p.writer, p.piece) }

func (s *session) name() string { return s.now.Name + "/" + s.sc.name }

// play carries out a round and asks the oracles.
func (s *session) play(ctx context.Context, number int) error {
	s.number, s.round = number, &s.sc.rounds[number]
	if err := s.prepare(); err != nil {
		return err
	}
	s.before = slices.Clone(s.f.Shadow.Bytes)
	if err := s.write(); err != nil {
		return err
	}
	s.now.Rounds++
	s.now.Writes += len(s.pieces)
	if err := s.account(ctx); err != nil {
		return err
	}
	for i := range s.results {
		if errors.Is(s.results[i].Err, unix.ENOSPC) {
			return s.results[i].Err
		}
	}
	return s.check()
}

// prepare does what comes before the writes. It leaves nothing in the page cache.
func (s *session) prepare() error {
	cached := false
	for i, a := range s.round.before {
		var data []byte
		if a.op == opWritten {
			data = make([]byte, a.len)
			tagOf(s.Seed, s.name(), s.number, -1, i).fill(data, a.off)
			cached = true
		}
		if err := s.do(a, data); err != nil {
			return err
		}
	}
	if !cached {
		return nil
	}
	return workload.SyncAndDrop(s.f.Buffered)
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
	s.pieces, s.results = nil, nil
	var jobs []*job
	for n := range s.round.writers {
		w := &s.round.writers[n]
		s.substitute(w)
		first := len(s.pieces)
		j := &job{w: w, fd: s.f.Direct, bs: int64(s.dir.FS.BlockSize)}
		if w.append {
			j.fd = s.f.append
		}
		j.fill = func(i int, b []byte) { s.fill(first+i, b) }
		for i := range w.pieces {
			s.pieces = append(s.pieces, place{n, i})
		}
		jobs = append(jobs, j)
	}
	if err := s.team.run(jobs, s.meanwhile); err != nil {
		return err
	}
	for _, j := range jobs {
		s.results = append(s.results, j.results...)
	}
	if !s.sc.appends {
		s.wrote()
	}
	return nil
}

// fill writes the bytes of piece n of the round.
func (s *session) fill(n int, b []byte) {
	p := s.pieces[n]
	if s.sc.appends {
		s.tag(p).fillRecord(b, n)
		return
	}
	s.tag(p).fill(b, s.piece(n).off)
}

func (s *session) piece(n int) *piece {
	p := s.pieces[n]
	return &s.round.writers[p.writer].pieces[p.piece]
}

// meanwhile does what goes on beside the writers, until over is closed where it is to
// be repeated.
func (s *session) meanwhile(over <-chan struct{}) error {
	for {
		for _, a := range s.round.meanwhile {
			if err := s.do(a, nil); err != nil {
				return err
			}
		}
		if !s.round.again {
			return nil
		}
		select {
		case <-over:
			return nil
		default:
		}
	}
}

// wrote notes what the writes left in the file. Those that failed come last: i_size is
// then what it is in the file.
func (s *session) wrote() {
	type part struct {
		off  int64
		data []byte
	}
	var failed []part
	for n := range s.pieces {
		p := s.piece(n)
		data := make([]byte, p.len)
		s.fill(n, data)
		done := max(s.results[n].Ret(), 0)
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
