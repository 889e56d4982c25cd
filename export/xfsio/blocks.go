package xfsio

import (
	"cmp"
	"slices"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// state is what the script has made of a block.
type state uint8

const (
	hole state = iota
	written
	unwritten
	unknown
)

// piece is a range of blocks of one state.
type piece struct {
	from, to int64 // blocks, without the last
	state    state
}

// maxPieces bounds what is remembered of one file.
const maxPieces = 4096

// blocks is what the script has made of a file. What no piece names is rest.
type blocks struct {
	pieces []piece // in order, none empty, not of the state rest
	rest   state
}

// set makes a range one of state s.
func (b *blocks) set(from, to int64, s state) {
	if from >= to {
		return
	}
	first, _ := slices.BinarySearchFunc(b.pieces, from, func(p piece, from int64) int { return cmp.Compare(p.to, from) })
	last := first
	var head, tail []piece
	add := piece{from, to, s}
	for ; last < len(b.pieces) && b.pieces[last].from <= to; last++ {
		p := b.pieces[last]
		switch {
		case p.state == s:
			add.from, add.to = min(add.from, p.from), max(add.to, p.to)
			continue
		case p.from < from:
			head = append(head, piece{p.from, from, p.state})
		}
		if p.to > to {
			tail = append(tail, piece{to, p.to, p.state})
		}
	}
	if s != b.rest {
		head = append(head, add)
	}
	b.pieces = slices.Replace(b.pieces, first, last, append(head, tail...)...)
	if len(b.pieces) > maxPieces {
		b.pieces, b.rest = nil, unknown
	}
}

// each calls f for every piece of a range, rest included.
func (b *blocks) each(from, to int64, f func(piece)) {
	at := from
	for _, p := range b.pieces {
		if p.to <= at || p.from >= to {
			continue
		}
		if p.from > at {
			f(piece{at, p.from, b.rest})
		}
		at = min(p.to, to)
		f(piece{max(p.from, from), at, p.state})
	}
	if at < to {
		f(piece{at, to, b.rest})
	}
}

// cut makes a hole of everything from a block on: the file was truncated.
func (b *blocks) cut(from int64) {
	const end = int64(1) << 62
	b.set(from, end, hole)
}

// stateOf is what has to be laid out for a block that was found in state s.
func stateOf(s model.BlockState) state {
	switch s {
	case model.Written:
		return written
	case model.Unwritten:
		return unwritten
	case model.Hole:
		return hole
	}
	return unknown
}
