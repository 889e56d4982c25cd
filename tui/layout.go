package tui

import "github.com/ext4dio/ext4dio-trace/export"

// layout is how the height of the screen is shared out.
type layout struct {
	header int // lines above the table
	body   int // lines of the table with its head, of the detail, or of the help
	rows   int // lines of the table without its head
}

// layout shares out the height. The table keeps at least half of it, and what is
// read line by line more than that; what is missing is always said above.
func (m *model) layout() layout {
	var l layout
	room := max(m.height/2-1, 1)
	if m.detail || m.help {
		room = max(m.height/4-1, 1)
	}
	l.header = min(len(m.headerLines()), room)
	if m.height < 4 {
		l.header = 0
	}
	l.body = max(m.height-l.header-1, 0) // 1 for the help line
	l.rows = max(l.body-1, 0)
	return l
}

// shown is one column on the screen.
type shown struct {
	kind  columnKind
	col   export.Col
	width int // negative: filled on the left
}

type columnKind uint8

const (
	colExport columnKind = iota
	colTime
	colWhy
)

// choice is a column that may be shown.
type choice struct {
	shown
	order int // place on the line, from the left
}

const (
	orderFile = 40
	orderWhy  = 160
)

// pinned columns are always shown.
var pinned = [...]choice{
	{shown{colExport, export.ColLock, 9}, 70},
	{shown{colExport, export.ColVerdict, 9}, 150},
}

// wanted columns come as long as there is room, the most telling first.
var wanted = [...]choice{
	{shown{colExport, export.ColPos, -9}, 50},
	{shown{colExport, export.ColLen, -6}, 60},
	{shown{colWhy, 0, whyMin}, orderWhy},
	{shown{colExport, export.ColFile, 11}, orderFile},
	{shown{colExport, export.ColPasses, -4}, 80},
	{shown{colExport, export.ColComm, 10}, 30},
	{shown{colExport, export.ColLatency, -6}, 140},
	{shown{colExport, export.ColWait, -6}, 130},
	{shown{colTime, 0, -10}, 10},
	{shown{colExport, export.ColRet, -8}, 120},
	{shown{colExport, export.ColLookups, 18}, 90},
	{shown{colExport, export.ColZeroed, -6}, 110},
	{shown{colExport, export.ColDrain, 5}, 100},
	{shown{colExport, export.ColForceWait, 3}, 105},
	{shown{colExport, export.ColPid, -7}, 20},
}

const (
	whyMin   = 24
	whyMore  = 32 // and more only when names of files have this
	fileMore = 24
	maxShift = len(wanted) - 1
	margin   = 2 // for the mark of the selected row
)

// chooseColumns picks the columns for a width. shift skips that many of the
// most telling ones, so that the others can be seen on a narrow screen. What
// room is left goes to the reason and to the name of the file.
func chooseColumns(width, shift int) []shown {
	var picked [len(pinned) + len(wanted)]choice
	n := copy(picked[:], pinned[:])
	room := width - margin
	for _, c := range pinned {
		room -= c.width + 1
	}
	for _, c := range wanted[min(shift, maxShift):] {
		if need := abs(c.width) + 1; need <= room+1 {
			room -= need
			picked[n] = c
			n++
		}
	}
	chosen := picked[:n]
	// Few enough for insertion by order.
	for i := 1; i < n; i++ {
		for j := i; j > 0 && chosen[j].order < chosen[j-1].order; j-- {
			chosen[j], chosen[j-1] = chosen[j-1], chosen[j]
		}
	}
	out := make([]shown, n)
	for i, c := range chosen {
		out[i] = c.shown
	}
	room++ // the last column needs no gap behind it
	for _, g := range [...]struct{ order, upTo int }{{orderWhy, whyMore}, {orderFile, fileMore}, {orderWhy, width}} {
		for i, c := range chosen {
			if c.order == g.order && room > 0 {
				more := min(room, max(g.upTo-out[i].width, 0))
				out[i].width += more
				room -= more
			}
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }
