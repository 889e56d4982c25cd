package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of a Breakdown. What comes beyond is counted together.
const (
	maxParts    = 65536 // files, processes, reasons, rules
	textParts   = 12    // of each that are written as text
	textThreads = 6     // names of threads of a process that are written as text
	otherParts  = "others"
)

// number is one of a string that others seldom have, too.
func number(s string) uint64 {
	if s == "" {
		return 0
	}
	return uint64(len(s)) + uint64(s[len(s)-1])*7 + uint64(s[len(s)/2])*3
}

type parts[K comparable] struct{ Parts[K, Part] }

func (p *parts[K]) add(k K, number uint64, r *Row) {
	p.Most = maxParts
	part, _ := p.Of(k, number)
	part.Add(r)
}

// Breakdown counts rows by reason, rule, file and process, and their waits by lock mode.
// Its zero value is empty, and its memory is bounded.
type Breakdown struct {
	reasons   parts[string]
	rules     parts[string]
	files     parts[FileID]
	processes parts[ProcessID]
	waits     [Exclusive + 1]waits // by Lock
	spent     map[string]*spread   // by reason, of writes with a budget
}

// Add counts r.
func (b *Breakdown) Add(r *Row) {
	if r.Inside.Known {
		return
	}
	if r.Lock.Known && r.WaitNs.Known {
		b.waits[r.Lock.V].add(r.WaitNs.V)
	}
	reason := r.ReasonText()
	b.reasons.add(reason, number(reason), r)
	if r.Budget.Known {
		b.addSpent(r, reason)
	}
	b.files.add(r.File(), r.Ino, r)
	b.processes.add(r.Process(), uint64(r.Pid)+number(r.Comm), r)
	for _, rule := range r.Rules {
		b.rules.add(rule, number(rule), r)
	}
}

// Table is one of the tables of a Breakdown.
type Table struct {
	Title string // what its lines are: reason, rule broken, file, process
	Lines []TableLine
}

// TableLine counts the writes of one reason, rule, file or process.
type TableLine struct {
	Name string  `json:"name"` // raw, as all texts of it; escape before showing
	Dev  string  `json:"dev,omitempty"`
	Ino  uint64  `json:"ino,omitempty"`
	Gen  uint32  `json:"generation,omitempty"`
	Path *string `json:"path,omitempty"`
	Pid  uint32  `json:"pid,omitempty"`
	Comm string  `json:"comm,omitempty"`
	Part
	Judged  map[string]uint64 `json:"verdicts"`
	Threads []TableLine       `json:"threads,omitempty"` // of a process, by their names, when there are several

	number ProcessNumber
}

// Tables lists the counts, those with disagreements first, the files by their names.
func (b *Breakdown) Tables(names Names) []Table {
	return []Table{{"reason", b.byReason()}, {"rule broken", b.byRule()}, {"file", b.byFile(names)}, {"process", b.byProcess()}}
}

// list sorts the parts: those with disagreements first, then by the number of writes.
func list[K comparable](p *parts[K], describe func(K, *TableLine)) []TableLine {
	out := make([]TableLine, 0, len(p.All)+1)
	for k, part := range p.All {
		n := TableLine{Part: *part}
		describe(k, &n)
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b TableLine) int {
		return cmp.Or(cmp.Compare(b.Disagreements(), a.Disagreements()), cmp.Compare(b.Writes, a.Writes), strings.Compare(a.Name, b.Name))
	})
	if p.Rest.Writes > 0 {
		out = append(out, TableLine{Name: otherParts, Part: p.Rest})
	}
	for i := range out {
		out[i].Judged = map[string]uint64{}
		for k, n := range out[i].Verdicts {
			if n > 0 {
				out[i].Judged[judge.Kind(k).String()] = n
			}
		}
	}
	return out
}

func (b *Breakdown) byReason() []TableLine {
	return list(&b.reasons, func(k string, n *TableLine) { n.Name = cmp.Or(k, "reason not known") })
}

func (b *Breakdown) byRule() []TableLine {
	return list(&b.rules, func(k string, n *TableLine) { n.Name = k })
}

func (b *Breakdown) byFile(names Names) []TableLine {
	return list(&b.files, func(k FileID, n *TableLine) {
		n.Dev, n.Ino, n.Gen = DevName(k.Dev), k.Ino, k.Generation
		n.Name = fmt.Sprintf("inode %d on %s", k.Ino, n.Dev)
		if names == nil {
			return
		}
		if path := names.Path(record.NameID{FileID: k}); path != "" {
			n.Name, n.Path = path, &path
		}
	})
}

// maxSerialised is how many files mostSerialised lists.
const maxSerialised = 10

// mostSerialised lists the files of the most writes under the exclusive lock, those with
// the same by what their writes waited.
func mostSerialised(files []TableLine) []TableLine {
	most := slices.DeleteFunc(slices.Clone(files), func(n TableLine) bool { return n.Exclusive == 0 })
	slices.SortStableFunc(most, func(a, b TableLine) int {
		return cmp.Or(cmp.Compare(b.Exclusive, a.Exclusive), cmp.Compare(b.WaitNs, a.WaitNs), cmp.Compare(a.Ino, b.Ino))
	})
	return most[:min(len(most), maxSerialised)]
}

// WriteText writes a table of each, the files by their names. The longer ones are cut,
// and say so.
func (b *Breakdown) WriteText(w io.Writer, names Names) error {
	var out strings.Builder
	for _, t := range b.Tables(names) {
		if len(t.Lines) == 0 {
			continue
		}
		fmt.Fprintf(&out, "%9s %9s %9s %9s %9s %9s %9s  %s\n", "WRITES", "SHARED", "EXCL", "REFUSED", "FAILED", "DISAGREE", "WAIT", strings.ToUpper(t.Title))
		for i := range t.Lines[:min(len(t.Lines), textParts)] {
			t.Lines[i].writeText(&out, "")
		}
		if more := len(t.Lines) - textParts; more > 0 {
			fmt.Fprintf(&out, "%69s  and %d more\n", "", more)
		}
		out.WriteByte('\n')
	}
	b.writeWaits(&out)
	b.writeSpent(&out)
	_, err := io.WriteString(w, out.String())
	return err
}

// writeText writes a line, and those of threads below it.
func (n *TableLine) writeText(out *strings.Builder, indent string) {
	fmt.Fprintf(out, "%9d %9d %9d %9d %9d %9d %9s  %s%s\n", n.Writes, n.Shared, n.Exclusive, n.Refused, n.Failed, n.Disagreements(),
		Duration(n.WaitNs), indent, Safe(n.Name))
	for i := range n.Threads[:min(len(n.Threads), textThreads)] {
		n.Threads[i].writeText(out, "  ")
	}
	if more := len(n.Threads) - textThreads; more > 0 {
		fmt.Fprintf(out, "%71s    and %d more\n", "", more)
	}
}

// writeWaits writes a line for each lock mode that was waited for.
func (b *Breakdown) writeWaits(out *strings.Builder) {
	text := func(ns *uint64) string {
		if ns == nil {
			return "?"
		}
		return Duration(*ns)
	}
	modes := slices.DeleteFunc(b.byMode(), func(m modeWaits) bool { return m.WaitNs == 0 })
	if len(modes) == 0 {
		return
	}
	fmt.Fprintf(out, "%9s %9s %9s %9s %9s  %s\n", "WRITES", "P50", "P99", "MAX", "WAIT", "LOCK")
	for _, m := range modes {
		fmt.Fprintf(out, "%9d %9s %9s %9s %9s  %s\n", m.Writes, text(m.P50), text(m.P99), text(m.Max), Duration(m.WaitNs), m.Lock)
	}
	out.WriteByte('\n')
}

// JSON returns the counts as one JSON object.
func (b *Breakdown) JSON(names Names) (json.RawMessage, error) {
	files := b.byFile(names)
	out, err := json.Marshal(struct {
		Reasons    []TableLine `json:"reasons"`
		Rules      []TableLine `json:"rules"`
		Files      []TableLine `json:"files"`
		Processes  []TableLine `json:"processes"`
		Waits      []modeWaits `json:"waits"`           // for i_rwsem, by the mode held
		Serialised []TableLine `json:"most_serialised"` // files, by writes under the exclusive lock
		Budgets    []spentLine `json:"budgets"`         // where the time went, by reason; empty when it was not recorded
	}{b.byReason(), b.byRule(), files, b.byProcess(), b.byMode(), mostSerialised(files), b.byBudget()})
	if err != nil {
		return nil, fmt.Errorf("encode counts: %w", err)
	}
	return out, nil
}
