package main

import (
	"context"
	"math"
	"sync"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/tui"
)

// screenWindow hands the screen parts of the recording that it shows. The first call
// judges all of it once more, to know where which write is.
type screenWindow struct {
	ctx     context.Context
	paths   []string
	variant string

	mu sync.Mutex
	w  *replay.Window
}

// rows returns the writes that are asked for.
func (s *screenWindow) rows(k tui.Seek) ([]tui.Numbered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.w == nil {
		if s.w, err = replay.OpenWindow(s.ctx, s.paths, s.variant); err != nil {
			return nil, err
		}
	}
	number, n := max(k.At, 1), s.w.Writes()
	switch {
	case !k.ByNumber:
		if number, err = s.w.NumberAt(s.w.Began() + k.At); err != nil {
			return nil, err
		}
	case k.Before && k.Match == nil:
		n = uint64(k.N)
		number -= min(n, number-1)
	case k.Before:
		number, n = 1, number-1
	}
	return s.find(number, n, k)
}

// find returns up to k.N of n writes from a number on that match: the first ones, or those
// before k.At the last ones.
func (s *screenWindow) find(number, n uint64, k tui.Seek) ([]tui.Numbered, error) {
	var out []tui.Numbered
	if k.Match == nil {
		n = min(n, uint64(k.N))
	}
	err := s.w.Each(number, int(min(n, math.MaxInt)), func(r *export.Row) bool {
		if k.Match == nil || k.Match.Match(r) {
			out = append(out, tui.Numbered{Row: r.Clone(), Number: number})
			if len(out) > 2*k.N {
				out = append(out[:0], out[len(out)-k.N:]...)
			}
		}
		number++
		return (k.Before || len(out) < k.N) && s.ctx.Err() == nil
	})
	return out[max(len(out)-k.N, 0):], err
}

// close closes the recording.
func (s *screenWindow) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w != nil {
		_ = s.w.Close() // nothing was written
	}
}
