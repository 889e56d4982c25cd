package sketch

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed CONDITIONS.md
var table string

// Row is a condition, and one way in which it can be wrong: a row of CONDITIONS.md that names a
// fault.
type Row struct {
	Section           string // a variant, or NoDifference
	Function, Wrong   string // function of the kernel; the wrong way in words
	Condition         string // in words
	Fault             Fault
	Scenarios, Fields []string // of validate, that notice it
	Text              string   // the whole row
}

// NoDifference is the section of the rows that no write shows.
const NoDifference = "No difference"

// Rows are those of CONDITIONS.md, in its order.
var Rows = sync.OnceValue(func() (out []Row) {
	section := ""
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if h, ok := strings.CutPrefix(line, "## "); ok {
			section = h
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		last, ok := strings.CutPrefix(cells[len(cells)-1], "`")
		condition, way, isFault := strings.Cut(strings.TrimSuffix(last, "`"), "/")
		if !ok || !isFault || len(cells) < 5 {
			continue
		}
		r := Row{Section: section, Function: cells[0], Condition: plain(cells[1]), Wrong: plain(cells[2]), Fault: Fault{condition, way}, Text: line}
		if section != NoDifference && len(cells) > 5 {
			r.Scenarios, r.Fields = strings.Split(cells[3], ", "), strings.Split(cells[4], ", ")
		}
		out = append(out, r)
	}
	return out
})

// plain is a cell without the marks of code.
func plain(cell string) string { return strings.ReplaceAll(cell, "`", "") }
