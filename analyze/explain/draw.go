package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// cells is the number of characters in which a block is drawn.
const cells = 8

// maxDrawn is the most blocks in one drawing; more are left out in the middle.
const maxDrawn = 7

// drawnLabel and gapCells are the widths of what stands before the blocks and of what
// stands for those that are left out.
const (
	drawnLabel = 8
	gapCells   = 4
)

// picture is a drawing of the blocks that a write touches.
type picture struct {
	blkbits  uint8
	pos, end int64 // the write
	isize    int64
	state    func(lblk int64) byte // letter of a block, '?' when not known
	zeroed   []model.Range
	most     int // blocks to draw; 0 is maxDrawn
}

// lines draws the picture, or returns nil for a write without bytes.
func (p *picture) lines() []string {
	if p.end <= p.pos {
		return nil
	}
	var number, state, bytes, sizes string
	blocks := p.blocks()
	for i, b := range blocks {
		if i > 0 && b != blocks[i-1]+1 {
			number, state, bytes, sizes = number+"    ", state+"| ..", bytes+"| ..", sizes+"    "
		}
		number += fmt.Sprintf(" %-*d", cells, b)
		state += fmt.Sprintf("|%-*s", cells, string(p.state(b)))
		bytes += "|" + p.block(b)
		sizes += " " + p.mark(b)
	}
	out := []string{"block  " + strings.TrimRight(number, " "), "state  " + state + "|", "write  " + bytes + "|"}
	if m := strings.TrimRight(sizes, " "); m != "" {
		out = append(out, "       "+m)
	}
	return append(out, "       "+legend(strings.Join(out[1:3], "")))
}

// legend says what the signs in a drawing mean.
func legend(drawn string) string {
	var out []string
	for _, s := range [...]struct{ sign, text string }{
		{"W", "W written"}, {"U", "U unwritten"}, {"H", "H hole"}, {"D", "D delayed"}, {"?", "? not seen"},
		{"#", "# data"}, {"0", "0 zeroed"}, {".", ". left as it is"},
	} {
		if strings.Contains(strings.ReplaceAll(drawn, " ..", ""), s.sign) {
			out = append(out, s.text)
		}
	}
	return strings.Join(out, "  ")
}

// blocks lists the blocks to draw: those of the write and their neighbours.
func (p *picture) blocks() []int64 {
	first, last := max(0, p.pos>>p.blkbits-1), (p.end-1)>>p.blkbits+1
	runs := [][2]int64{{first, last}}
	if most := int64(cmp.Or(p.most, maxDrawn)); last-first+1 > most {
		runs = [][2]int64{{first, first + most/2 - 1}, {last - most/2 + 1, last}}
	}
	var out []int64
	for _, run := range runs {
		for b := run[0]; b <= run[1]; b++ {
			out = append(out, b)
		}
	}
	return out
}

// block draws the bytes of one block.
func (p *picture) block(b int64) string {
	var out [cells]byte
	rest := byte(' ')
	if s := p.state(b); s == 'W' || s == 'D' {
		rest = '.'
	}
	size := int64(1) << p.blkbits / cells
	for i := range out {
		from := b<<p.blkbits + int64(i)*size
		to := from + size
		switch {
		case from < p.end && to > p.pos:
			out[i] = '#'
		case p.zeroes(from, to):
			out[i] = '0'
		default:
			out[i] = rest
		}
	}
	return string(out[:])
}

func (p *picture) zeroes(from, to int64) bool {
	return slices.ContainsFunc(p.zeroed, func(z model.Range) bool { return from < z.Pos+z.Len && to > z.Pos })
}

// mark shows where in block b the file ends, if it does.
func (p *picture) mark(b int64) string {
	from := b << p.blkbits
	if p.isize < from || p.isize >= from+1<<p.blkbits {
		return strings.Repeat(" ", cells)
	}
	at := int((p.isize - from) * cells >> p.blkbits)
	return fmt.Sprintf("%*s%-*s", at, "", cells-at, "^i_size")
}
