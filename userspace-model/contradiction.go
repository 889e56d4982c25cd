package model

import (
	"errors"
	"fmt"
)

// ErrFact is wrapped by every error about facts that cannot be: the text names
// the fact.
var ErrFact = errors.New("impossible fact")

func factError(text string) error { return fmt.Errorf("%w: %s", ErrFact, text) }

// Blkbits of ext4: blocks of 1 KiB to 64 KiB.
const (
	MinBlkbits = 10
	MaxBlkbits = 16
)

// maxPos is the largest position of a file (loff_t).
const maxPos = 1<<63 - 1

// contradiction names what cannot be in c, or nothing.
func (c *Call) contradiction() string {
	switch {
	case c.Blkbits < MinBlkbits || c.Blkbits > MaxBlkbits:
		return "a block size that ext4 does not have"
	case c.Pos < 0:
		return "a negative position"
	case c.Len < 0:
		return "a negative length"
	case c.Len > maxPos-c.Pos:
		return "a write beyond the largest position"
	case c.ISize < 0:
		return "a negative i_size"
	}
	return ""
}

// contradiction names what cannot be in the checks of c, or nothing.
func (k *Checks) contradiction(c *Call) string {
	switch {
	case k.ISize < 0 || k.IDisksize < 0:
		return "a negative i_size"
	case k.IDisksize > k.ISize:
		return "i_disksize beyond i_size"
	case k.Count > 0 && k.Pos < 0:
		return "a negative position"
	}
	if why := k.Impossible(c); why != "" {
		return why
	}
	if k.Count > 0 && k.end() > int64(MaxBlocks)<<c.Blkbits {
		return "a block behind the last one that a file can have"
	}
	return ""
}

// Impossible names what ext4_generic_write_checks cannot leave to write of c, or nothing.
func (k *Checks) Impossible(c *Call) string {
	switch {
	case k.Count <= 0:
		return "" // an error, or nothing to write
	case k.Count > c.Len:
		return "more bytes after the write checks than before"
	case c.Flags&IocbAppend != 0 && k.Pos != k.ISize:
		return "an append that does not begin at i_size"
	case c.Flags&IocbAppend == 0 && k.Pos != c.Pos:
		return "ki_pos moved without IOCB_APPEND"
	case k.end() < 0:
		return "a write beyond the largest position"
	}
	return ""
}

// contradiction names what cannot be in an answer to q, or nothing.
func (r Result) contradiction(q Query) string {
	if why := r.Impossible(q); why != "" || r.Ret <= 0 {
		return why
	}
	if r.MFlags&(MapMapped|MapUnwritten) == 0 {
		return "a lookup found blocks that are neither written nor unwritten"
	}
	return ""
}

// Impossible names what ext4_map_blocks cannot return to q on any kernel, or nothing.
func (r Result) Impossible(q Query) string {
	if r.Ret > 0 && uint32(r.Ret) > q.Len {
		return "a lookup found more blocks than it was asked for"
	}
	return ""
}
