package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
	"github.com/ext4dio/ext4dio-trace/record"
)

// How much is shown of what is sorted by weight.
const (
	shownParts   = 25
	shownThreads = 6 // of a process
	shownBlames  = 25
	shownLanes   = 12
)

// page is what both forms of a report show. All texts but the names in Tables are escaped
// for a terminal.
type page struct {
	Title    string
	Redacted bool
	Missing  []string // what the trace does not hold; first of all
	Advice   []export.Advice
	AdviceIn []string // lines
	Verdicts []line
	Totals   []line
	Facts    []Fact
	Tables   []table
	Blames   []blameLine
	NoBlame  []string
	Times    []times
	Lanes    []laneLine
	LanesEnd string // the time of the last bin
	LaneNote string
	Cases    []caseText
	Lines    []string
	CaseNote string
	// Budgets and Prediction are text in columns.
	Budgets    string
	Marks      []Mark
	Prediction string
}

type line struct {
	Name  string
	Count uint64
}

// table is one of the counts, whose first lines are shown.
type table struct {
	export.Table
	More int // lines that are not
}

// times are the distributions of one kind of time.
type times struct {
	Title string
	Modes []timesOf
}

type timesOf struct {
	Mode string
	all  *histogram.Times
	hist magnitudes
}

type laneLine struct {
	Name   string
	Writes uint64
	Wait   string
	lane   *lane
	used   int
}

type caseText struct {
	Title, Explanation, Reproducer string
}

// page gathers what is shown.
func (p *Report) page() (*page, error) {
	out := &page{Title: export.Safe(p.Title), Redacted: p.Redacted, Prediction: p.Prediction, Marks: p.shownMarks()}
	for _, m := range p.Missing {
		out.Missing = append(out.Missing, export.SafeText(m))
	}
	if p.Summary.Losses.Any() {
		out.Missing = append(out.Missing, p.Summary.Losses.String())
	}
	t := &p.Summary.Totals
	if t.Incomplete > 0 {
		out.Missing = append(out.Missing, fmt.Sprintf("%s not judged: %s", export.Plural(t.Incomplete, "write"), t.IncompleteText()))
	}
	if t.InPart > 0 {
		out.Missing = append(out.Missing, t.InPartText())
	}
	for i := range t.Inside {
		out.Missing = append(out.Missing, "not ended when the recording did: "+t.Inside[i].Lines()[0])
	}
	for i := range p.Summary.Advice {
		out.Advice = append(out.Advice, p.Summary.Advice[i].Shown())
	}
	out.AdviceIn = export.AdviceLines(p.Summary.Advice)
	for _, f := range p.Facts {
		out.Facts = append(out.Facts, Fact{f.Name, export.Safe(f.Value)})
	}
	for _, k := range []judge.Kind{judge.Unsafe, judge.Differs, judge.Slower, judge.Undecided, judge.Agree} {
		out.Verdicts = append(out.Verdicts, line{k.String(), t.Verdicts[k]})
	}
	out.Totals = []line{
		{"writes", t.Writes}, {"shared", t.Shared}, {"exclusive", t.Exclusive}, {"no direct I/O", t.NoDIO},
		{"restarted", t.Restarted}, {"drained", t.Drained}, {"bytes written", t.Bytes},
	}
	p.fillEnded(out)
	p.fillTables(out)
	p.fillBlames(out)
	p.fillTimes(out)
	out.Budgets = strings.Join(p.counts.BudgetLines(), "\n")
	return out, p.fillCases(out)
}

// fillEnded tells requests from tries, and which writes were not written and where.
func (p *Report) fillEnded(out *page) {
	t, q := &p.Summary.Totals, &p.Summary.Requests
	add := func(name string, n uint64) {
		if n > 0 {
			out.Totals = append(out.Totals, line{name, n})
		}
	}
	if q.Refused > 0 || q.Unknown > 0 {
		add("requests, of which the writes are tries", q.Requests())
		add("refused by NOWAIT and retried", q.Retried)
		add("refused by NOWAIT, no retry in the trace", q.Abandoned())
		add("by io-wq, no earlier try in the trace", q.Unknown)
	}
	for _, c := range t.Refusals() {
		add("refused at "+c.Reason, c.N)
	}
	for _, c := range t.Failures() {
		add(c.Reason, c.N)
	}
	add("short", t.Short())
	add("bytes not written, of what failed or was short", t.Unwritten())
}

func (p *Report) fillTables(out *page) {
	for _, t := range p.counts.Tables(p.Names) {
		if shown := min(len(t.Lines), shownParts); shown > 0 {
			more := len(t.Lines) - shown
			t.Lines = t.Lines[:shown]
			for i := range t.Lines {
				of := &t.Lines[i].Threads
				*of = (*of)[:min(len(*of), shownThreads)]
			}
			out.Tables = append(out.Tables, table{t, more})
		}
	}
}

// blameLine is who waited for whom, fit for a terminal.
type blameLine struct {
	Waiter, Holder, Held, File string
	Waits                      uint64
	Time, Share                string
}

// file names an inode, by its path where that is known.
func (p *Report) file(id export.FileID) string {
	if p.Names != nil {
		if path := p.Names.Path(record.NameID{FileID: id}); path != "" {
			return export.Safe(path)
		}
	}
	return fmt.Sprintf("inode %d on %s", id.Ino, export.DevName(id.Dev))
}

// fillBlames adds up to all that was waited for.
func (p *Report) fillBlames(out *page) {
	all := p.blames.List()
	for _, b := range all[:min(len(all), shownBlames)] {
		out.Blames = append(out.Blames, blameLine{
			Waiter: export.Safe(b.Waiter), Holder: cmp.Or(b.HolderText(), "(not seen)"), Held: b.Held(), File: p.file(b.File),
			Waits: b.Waits, Time: export.Duration(b.Ns), Share: p.blames.Share(b.Ns),
		})
	}
	note := func(format string, args ...any) { out.NoBlame = append(out.NoBlame, fmt.Sprintf(format, args...)) }
	if more := len(all) - len(out.Blames); more > 0 {
		rest := uint64(0)
		for _, b := range all[len(out.Blames):] {
			rest += b.Ns
		}
		note("and %d more pairs, %s", more, export.Duration(rest))
	}
	if b := p.blames.More(); b.Waits > 0 {
		note("%d waits, %s, are counted for no pair: there are too many", b.Waits, export.Duration(b.Ns))
	}
	if p.blames.Unknown > 0 {
		note("(not seen), %s of %s: %s; and until the one who is next runs, nobody holds it",
			p.blames.Share(p.blames.Unknown), export.Duration(p.blames.Ns), export.NotSeen(p.Summary.Holders))
	}
	if n := p.Summary.Losses.LostHold; n > 0 {
		note("%s of i_rwsem without a record: it is not known who waited for them", export.Plural(n, "holder"))
	}
}

func (p *Report) fillTimes(out *page) {
	for _, t := range []struct {
		title string
		hists *[3]histogram.Times
	}{{"Waits for i_rwsem", &p.waits}, {"Latency", &p.latency}} {
		v := times{Title: t.title}
		for i := range t.hists {
			if h := &t.hists[i]; h.Len() > 0 {
				v.Modes = append(v.Modes, timesOf{export.Lock(i).String(), h, h.Magnitudes()})
			}
		}
		if len(v.Modes) > 0 {
			out.Times = append(out.Times, v)
		}
	}
	used := p.timeline.used()
	out.LanesEnd = export.Duration(uint64(used) * p.timeline.width)
	for _, l := range p.timeline.most(shownLanes) {
		out.Lanes = append(out.Lanes, laneLine{p.file(l.id), l.writes, export.Duration(l.waitNs), l, used})
	}
	if n := len(p.timeline.lanes) - len(out.Lanes); n > 0 {
		out.LaneNote = fmt.Sprintf("Those whose writes waited the longest; %d more inodes are not shown.", n)
	}
}

func (p *Report) fillCases(out *page) error {
	about := []string{}
	for _, f := range out.Facts {
		about = append(about, f.Name+": "+f.Value)
	}
	for _, c := range p.cases.kinds.List() {
		script, err := reproducer(c.Example, about)
		if err != nil {
			return err
		}
		title := fmt.Sprintf("%s: %s, %d writes", c.Verdict, export.Safe(c.Reason), c.Writes)
		if c.Rules != "" {
			title += ", broken: " + c.Rules
		}
		out.Cases = append(out.Cases, caseText{title, strings.TrimRight(explanation(&c), "\n"), script})
	}
	out.Lines = p.cases.lines
	if more := p.cases.kinds.More(); more > 0 {
		out.CaseNote = fmt.Sprintf("%d disagreements of further kinds are only counted. ", more)
	}
	if p.cases.more > 0 {
		out.CaseNote += fmt.Sprintf("%d further disagreements are not listed one by one.", p.cases.more)
	}
	return nil
}
