package storm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// afterwards is how long to look for what was seen beyond what was made.
const afterwards = 10 * time.Millisecond

// memory makes room to read the file back, and what it should not have grown by.
func (s *session) memory() error {
	bs := int64(s.dir.FS.BlockSize)
	need := int64(len(s.shadow.b)) + 3*bs
	if s.sc.appends {
		for n := range s.pieces {
			need += s.piece(n).len
		}
	}
	if s.back != nil && int64(len(s.back.Bytes())) >= need {
		return nil
	}
	if err := s.close(); err != nil {
		return err
	}
	s.back = nil
	var err error
	s.back, err = workload.NewBuffer(int(2 * need))
	return err
}

// room is how much of a file can be read back, bytes, short of one block.
func (s *session) room() int64 { return int64(len(s.back.Bytes())) - 2*int64(s.dir.FS.BlockSize) }

// check compares the file with its shadow after a round, with O_DIRECT: that puts no
// pages into the page cache, which would make later NOWAIT writes fail.
func (s *session) check() error {
	if err := s.memory(); err != nil {
		return err
	}
	got, err := s.f.readDirect(s.back, s.room(), int64(s.dir.FS.BlockSize))
	if err != nil {
		return err
	}
	if s.sc.appends {
		if why := s.takeRecords(got); why != "" {
			s.lost(got, "records", why)
			return nil
		}
	}
	s.shadow.settle(got)
	if s.Fault != nil {
		s.Fault(s.sc.name, s.number+1, s.shadow.b)
	}
	s.compare(got, "read with O_DIRECT")
	return nil
}

func (s *session) compare(got []byte, how string) {
	d := s.shadow.compare(got)
	if d == nil {
		s.rep.Bytes.Right++
		return
	}
	what := []string{how + ": " + d.text}
	for n := range s.pieces {
		p := s.piece(n)
		if s.number >= 0 && !s.sc.appends && d.at >= p.off && d.at < p.off+p.len {
			w := s.pieces[n].writer
			what = append(what, fmt.Sprintf("writer %d wrote there: %s", w+1, s.round.writers[w].text(s.pieces[n].piece)))
		}
	}
	s.lost(got, how, what...)
}

// lost notes wrong bytes, and goes on with what is in the file.
func (s *session) lost(got []byte, signature string, what ...string) {
	s.rep.Bytes.Wrong++
	s.fail(Bytes, nil, nil, signature, what...)
	s.shadow.b = slices.Clone(got)
}

// finish reads the file through the page cache, and looks whether more was seen than
// was made.
func (s *session) finish(ctx context.Context) error {
	got, err := s.f.readCached(s.back, s.room(), int64(s.dir.FS.BlockSize))
	if err != nil {
		return err
	}
	s.shadow.before = nil
	s.compare(got, "read through the page cache")
	late, cancel := context.WithTimeout(ctx, afterwards)
	defer cancel()
	seen, err := s.Tracer.Collect(late, s.f.id, 1)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("collect what was seen: %w", err)
	}
	for i := range seen {
		o := seen[i].Observation
		s.fail(Accounting, nil, &seen[i], "stray", fmt.Sprintf("a write at %d+%d was seen that was not made", o.Pos0, o.Len0))
	}
	return nil
}
