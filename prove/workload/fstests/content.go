package fstests

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Content is what a file holds: its size, and which byte stands where. It is nil where
// nobody asks, and then its methods do nothing.
type Content struct {
	size   int64
	pieces []piece // in order, apart, none of zeroes
}

// piece is a range of one byte.
type piece struct {
	from, to int64
	b        byte
}

// Size is i_size.
func (c *Content) Size() int64 { return c.size }

// Write puts n times b at off.
func (c *Content) Write(off, n int64, b byte) {
	if c == nil || n <= 0 {
		return
	}
	c.Zero(off, n)
	i, _ := slices.BinarySearchFunc(c.pieces, off, func(p piece, off int64) int { return cmp.Compare(p.from, off) })
	if b != 0 {
		c.pieces = slices.Insert(c.pieces, i, piece{off, off + n, b})
	}
	c.size = max(c.size, off+n)
}

// Zero makes a range zeroes, and leaves the size.
func (c *Content) Zero(off, n int64) {
	if c == nil || n <= 0 {
		return
	}
	var out []piece
	for _, p := range c.pieces {
		if p.to <= off || p.from >= off+n {
			out = append(out, p)
			continue
		}
		if p.from < off {
			out = append(out, piece{p.from, off, p.b})
		}
		if p.to > off+n {
			out = append(out, piece{off + n, p.to, p.b})
		}
	}
	c.pieces = out
}

// Truncate sets the size.
func (c *Content) Truncate(size int64) {
	if c == nil {
		return
	}
	c.Zero(size, max(c.size-size, 0))
	c.size = size
}

// Grow makes the size at least this.
func (c *Content) Grow(size int64) {
	if c != nil {
		c.size = max(c.size, size)
	}
}

// at is the byte at off, and up to where it stands.
func (c *Content) at(off int64) (b byte, to int64) {
	i, _ := slices.BinarySearchFunc(c.pieces, off, func(p piece, off int64) int { return cmp.Compare(p.to, off+1) })
	switch {
	case i == len(c.pieces):
		return 0, c.size
	case c.pieces[i].from > off:
		return 0, c.pieces[i].from
	}
	return c.pieces[i].b, c.pieces[i].to
}

const perLine = 16

// dump writes a range as "od -Ax -t x1z" does: equal lines are a star.
func (c *Content) dump(out *strings.Builder, off, n int64) {
	end := min(off+n, c.size)
	var last []byte
	star := false
	for at := off; at < end; {
		line, to := c.line(at, end)
		if len(line) == perLine && bytes.Equal(line, last) {
			if !star {
				out.WriteString("*\n")
				star = true
			}
			at += max((min(to, end)-at)/perLine, 1) * perLine
			continue
		}
		star, last = false, line
		odLine(out, at, line)
		at += int64(len(line))
	}
	fmt.Fprintf(out, "%06x\n", max(end, off))
}

// line is the bytes of a line, and up to where its first byte stands.
func (c *Content) line(at, end int64) (line []byte, to int64) {
	_, to = c.at(at)
	for i := at; i < min(at+perLine, end); {
		b, until := c.at(i)
		until = min(until, at+perLine, end)
		line = append(line, bytes.Repeat([]byte{b}, int(until-i))...)
		i = until
	}
	return line, to
}

func odLine(out *strings.Builder, at int64, line []byte) {
	fmt.Fprintf(out, "%06x", at)
	for _, b := range line {
		fmt.Fprintf(out, " %02x", b)
	}
	fmt.Fprintf(out, "%*s  >", 3*(perLine-len(line)), "")
	for _, b := range line {
		if b < ' ' || b > '~' {
			b = '.'
		}
		out.WriteByte(b)
	}
	out.WriteString("<\n")
}
