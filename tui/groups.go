package tui

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// grouping is what writes are grouped by on a tab.
type grouping struct {
	name        string // of the tab
	title       string // of the column with the names
	width, grow int    // of that
	fromEnd     bool   // the end of a name tells more than its beginning
	by          bool   // there is a column that says why writes were exclusive
	dev         bool   // and one of the file system
	of          func(p *tally.Picture) []tally.Group
	label       func(g *tally.Group) string // safe for a terminal
	filter      func(g *tally.Group) string // lets its writes through; "" when none can
}

var byFile = grouping{
	name: "Files", title: "FILE", width: 14, grow: 60, fromEnd: true, by: true, dev: true,
	of:     func(p *tally.Picture) []tally.Group { return p.Files },
	label:  func(g *tally.Group) string { return fileLabel(g.Path, g.Dev, g.Ino) },
	filter: func(g *tally.Group) string { return fileFilter(g.Dev, g.Ino) },
}

// fileLabel names a file.
func fileLabel(path string, dev uint32, ino uint64) string {
	if path != "" {
		return export.Safe(path)
	}
	return fmt.Sprintf("ino %d on %s", ino, export.DevName(dev))
}

// fileFilter picks the writes to one file.
func fileFilter(dev uint32, ino uint64) string {
	return fmt.Sprintf("dev=%s ino=%d", export.DevName(dev), ino)
}

var byProcess = grouping{
	name: "Processes", title: "PROCESS PID", width: 14, grow: 24, by: true,
	of: func(p *tally.Picture) []tally.Group { return p.Processes },
	label: func(g *tally.Group) string {
		others := ""
		if g.Names > 1 {
			others = fmt.Sprintf(" (+%d)", g.Names-1) // names of threads
		}
		return fmt.Sprintf("%s%s %s", export.Safe(g.Comm), others, g.Number())
	},
	filter: func(g *tally.Group) string { return processFilter(g.ProcessNumber) },
}

// processFilter picks the writes of one process, by the number that no other has.
func processFilter(p export.ProcessNumber) string {
	switch {
	case p.Foreign:
		return fmt.Sprintf("pid=%d foreign", p.Pid)
	case p.Global != 0:
		return fmt.Sprintf("globalpid=%d", p.Global)
	}
	return fmt.Sprintf("pid=%d", p.Pid)
}

var byReason = grouping{
	name: "Reasons", title: "REASON", width: 16, grow: 28,
	of: func(p *tally.Picture) []tally.Group { return p.Reasons },
	label: func(g *tally.Group) string {
		if g.Reason == "" {
			return "reason not known"
		}
		return export.SafeText(g.Reason)
	},
	filter: func(g *tally.Group) string {
		if g.Reason == "" {
			return ""
		}
		return "reason=" + quoted(g.Reason)
	},
}

// quoted puts a value with blanks in quotes.
func quoted(text string) string {
	if strings.ContainsAny(text, " \t,") {
		return `"` + text + `"`
	}
	return text
}

// groupName is what a group is called on a screen, safe for a terminal. Those that have no
// line of their own have one together.
func (b *grouping) groupName(g *tally.Group) string {
	if g.Others {
		return "(others)"
	}
	return b.label(g)
}

// listing is what the tab of b lists.
func (b *grouping) listing() *listing[tally.Group] {
	return &listing[tally.Group]{
		name: b.name, sort: "W/S", asked: "names or reasons with: ", none: "nothing has a name or reason with ",
		columns: b.columns, of: b.of, order: byWrites,
		key:  func(g *tally.Group) any { return g.Key },
		last: func(g *tally.Group) bool { return g.Others },
		said: func(g *tally.Group) string { return b.groupName(g) + " " + classText(&g.Counts, far) },
		filter: func(g *tally.Group) string {
			if g.Others {
				return ""
			}
			return b.filter(g)
		},
	}
}
