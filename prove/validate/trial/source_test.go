package trial

import (
	"context"
	"errors"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// listSource hands out records and is then idle.
type listSource struct {
	raws [][]byte
	idle func()
}

func (s *listSource) Next() ([]byte, error) {
	if len(s.raws) == 0 {
		s.idle()
		return nil, record.ErrIdle
	}
	raw := s.raws[0]
	s.raws = s.raws[1:]
	return raw, nil
}

func (s *listSource) Losses() (record.Losses, error) { return record.Losses{}, nil }

func TestSourceTracer(t *testing.T) {
	raw := func(id, ino uint64) []byte {
		w := record.Write{Stages: record.StageEntry | record.StageReturn, ID: id, T0: id, Ino: ino, Dev: 8 << 20, Blkbits: 12}
		return w.Append(nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	all := 0
	src := &listSource{raws: [][]byte{raw(1, 7), raw(2, 8), {0}, raw(3, 7), raw(4, 7)}, idle: cancel}
	tr := NewSourceTracer(src, judge.Options{Seen: func(*observe.Observation, *judge.Verdict) { all++ }})
	tr.Watch(FileID{Dev: 8 << 20, Ino: 7})
	seen, err := tr.Collect(ctx, 2)
	if err != nil || len(seen) != 2 || seen[0].Observation.ID != 1 || seen[1].Observation.ID != 3 || seen[0].Verdict == nil {
		t.Fatalf("seen %+v, %v", seen, err)
	}
	seen, err = tr.Collect(ctx, 2)
	if !errors.Is(err, context.Canceled) || len(seen) != 1 || seen[0].Observation.ID != 4 {
		t.Errorf("seen %+v, %v; want one and the end of the context", seen, err)
	}
	if all != 4 || tr.judge.Stats().Malformed != 1 {
		t.Errorf("%d writes judged, %d malformed", all, tr.judge.Stats().Malformed)
	}
}
