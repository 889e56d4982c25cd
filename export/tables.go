package export

// Table is one of the tables of a Breakdown.
type Table struct {
	Title string // what its lines are: reason, rule broken, file, process
	Lines []TableLine
}

// TableLine counts the writes of one reason, rule, file or process.
type TableLine struct {
	Name string // raw; escape before showing
	Part
}

// Tables lists the counts, those with disagreements first, the files by their names.
func (b *Breakdown) Tables(names Names) []Table {
	var out []Table
	for _, t := range []struct {
		title string
		lines []named
	}{{"reason", b.byReason()}, {"rule broken", b.byRule()}, {"file", b.byFile(names)}, {"process", b.byProcess()}} {
		table := Table{Title: t.title}
		for _, n := range t.lines {
			table.Lines = append(table.Lines, TableLine{n.Name, n.Part})
		}
		out = append(out, table)
	}
	return out
}
