package model

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"testing"
)

// sectorSize is what one sign inside the brackets of a drawing stands for, bytes.
const sectorSize = 512

// drawing is a write drawn into the blocks of a file:
//
//	W[.#######]U[########]|U[##......]+[........]
//
// A letter is a block (W written, U unwritten, H hole, D delayed; E a lookup of it
// fails, M it is not in the extent status tree), followed by its sectors of 512
// bytes, '#' for those that are written. The number of signs gives the block size.
// A '|' says that the next block begins another mapping, a '+' that the block lies
// behind the end of the layout. Blocks that are not touched may go without
// brackets, and then with a count: W4H100.
type drawing struct {
	layout  string // letters, counts and '|', without what lies behind the end
	blocks  uint64 // of the layout
	blkbits uint8  // 0 when no brackets give it
	pos, n  int64  // the bytes drawn with '#'
}

// parseDrawing reads a drawing.
func parseDrawing(text string) (drawing, error) {
	p := drawingParser{left: text}
	for p.left != "" {
		if err := p.block(); err != nil {
			return drawing{}, fmt.Errorf("drawing %q: %w", text, err)
		}
	}
	if p.first >= 0 && p.sectors > 0 && p.first < p.end {
		p.pos, p.n = p.first*sectorSize, (p.end-p.first)*sectorSize
	}
	return p.drawing, nil
}

type drawingParser struct {
	drawing
	left    string
	at      uint64 // block, those behind the end included
	behind  bool   // behind the end of the layout
	sectors int    // signs in a block, once known
	// first and end are the written sectors.
	first, end int64
}

// block reads one block with its sectors, one run of blocks, or a border.
func (p *drawingParser) block() error {
	letter := p.left[0]
	p.left = p.left[1:]
	if letter == '|' {
		p.layout += "|"
		return nil
	}
	if !strings.ContainsRune("WUHDEM+", rune(letter)) {
		return fmt.Errorf("%q is no kind of block", letter)
	}
	if p.behind && letter != '+' {
		return fmt.Errorf("a block of kind %q behind the end of the layout", letter)
	}
	p.behind = letter == '+'
	count, err := p.count()
	if err != nil {
		return err
	}
	if !p.behind {
		p.blocks += count
		p.layout += string(letter)
		if count > 1 {
			p.layout += strconv.FormatUint(count, 10)
		}
	}
	if err := p.brackets(count); err != nil {
		return err
	}
	p.at += count
	return nil
}

func (p *drawingParser) count() (uint64, error) {
	n := 0
	for n < len(p.left) && p.left[n] >= '0' && p.left[n] <= '9' {
		n++
	}
	if n == 0 {
		return 1, nil
	}
	digits := p.left[:n]
	p.left = p.left[n:]
	count, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || count == 0 {
		return 0, fmt.Errorf("%q is no number of blocks", digits)
	}
	return count, nil
}

// brackets reads the sectors of a block, if it has them.
func (p *drawingParser) brackets(count uint64) error {
	if !strings.HasPrefix(p.left, "[") {
		return nil
	}
	signs, rest, ok := strings.Cut(p.left[1:], "]")
	p.left = rest
	n := len(signs)
	switch {
	case !ok:
		return fmt.Errorf("a bracket is not closed")
	case count != 1:
		return fmt.Errorf("%d blocks drawn as one", count)
	case n < 2 || n&(n-1) != 0:
		return fmt.Errorf("%d sectors in a block", n)
	case p.sectors != 0 && n != p.sectors:
		return fmt.Errorf("blocks of %d and of %d sectors", p.sectors, n)
	}
	p.sectors = n
	p.blkbits = uint8(bits.TrailingZeros(uint(n * sectorSize)))
	for i, sign := range signs {
		if err := p.sector(int64(p.at)*int64(n)+int64(i), sign); err != nil {
			return err
		}
	}
	return nil
}

func (p *drawingParser) sector(i int64, sign rune) error {
	switch {
	case sign == '.':
		return nil
	case sign != '#':
		return fmt.Errorf("%q is no sector", sign)
	case p.end == 0:
		p.first = i
	case p.end != i:
		return fmt.Errorf("the written sectors have a gap")
	}
	p.end = i + 1
	return nil
}

// letters is the layout with one letter for each block.
func (d *drawing) letters() string {
	var b strings.Builder
	for i := 0; i < len(d.layout); {
		letter := d.layout[i]
		i++
		from := i
		for i < len(d.layout) && d.layout[i] >= '0' && d.layout[i] <= '9' {
			i++
		}
		count := 1
		if i > from {
			count, _ = strconv.Atoi(d.layout[from:i])
		}
		b.WriteString(strings.Repeat(string(letter), count))
	}
	return b.String()
}

// TestDrawing: what drawings mean, and which are none.
func TestDrawing(t *testing.T) {
	for text, want := range map[string]drawing{
		"W[.#######]U[########]|U[##......]": {layout: "WU|U", blocks: 3, blkbits: 12, pos: 512, n: 8704},
		"WW[....####]+[########]+[#.......]": {layout: "WW", blocks: 2, blkbits: 12, pos: 6144, n: 6656},
		"W11W[########]|W[########]":         {layout: "W11W|W", blocks: 13, blkbits: 12, pos: 45056, n: 8192},
		"H[.#]H[#.]":                         {layout: "HH", blocks: 2, blkbits: 10, pos: 512, n: 1024},
		"U[########........]U":               {layout: "UU", blocks: 2, blkbits: 13, n: 4096},
		"W4H100":                             {layout: "W4H100", blocks: 104},
		"W[........]|W[##......]":            {layout: "W|W", blocks: 2, blkbits: 12, pos: 4096, n: 1024},
	} {
		if got, err := parseDrawing(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"X", "W[", "W[#]", "W[###]", "W[#..x....]", "W[#.#.....]", "W[#.......]W[.#......]", "W[##]W[####]", "W2[########]", "W0", "+[########]W",
	} {
		if got, err := parseDrawing(text); err == nil {
			t.Errorf("%s: %+v, but it is no drawing", text, got)
		}
	}
}
