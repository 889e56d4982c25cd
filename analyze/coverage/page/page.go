package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/report"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

//go:embed page.html
var text string

// Input is what was counted of one recording, or what a file had of several.
type Input struct {
	Name    string
	Traces  []string // its files, as explain takes them; none of a saved coverage, whose recordings are not known
	Missing string   // what is missing of the recording; empty for nothing
	Unknown bool     // it is not known what is missing
	Reports []coverage.Report
}

// Page is what is shown.
type Page struct {
	Reports []coverage.Report
	Inputs  []Input // which were added up to Reports
	// Against are those of others, and Others their names; nil for no comparison.
	Against []coverage.Report
	Others  []Input
}

// WriteHTML writes it as one page that needs nothing else.
func (p *Page) WriteHTML(w io.Writer) error {
	v, err := p.view()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err = report.HTML(text).Execute(&b, v); err == nil {
		_, err = b.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("write coverage: %w", err)
	}
	return nil
}

// view is what the template shows. It escapes all texts.
type view struct {
	Title    string
	Missing  []string
	Unknown  []string // saved coverages, which do not say what was missing of their recordings
	Inputs   []inputView
	Compares bool
	Variants []variantView
}

type inputView struct {
	Sign, Name, Explain string
	Before              bool // it is compared with
}

type variantView struct {
	ID, Name         string
	Share, Before    string
	Taken, Reachable int
	Writes           uint64
	Disagree, Open   uint64
	Parted           []string // tests at which the kernel's way parts from the model's
	Lost, Gained     []string
	Missing          []missing
	Wrong            *coverage.Conditions // nil without a list
	Unnoticed        []string
	None             int // ways that cannot be reached
	Lines, Elsewhere []row
	Odd              bool // a write took a way of the code of other kernels
}

// missing is a way that was not taken, and the anchor of its line.
type missing struct{ ID, Text string }

// row is a line of the page.
type row struct {
	ID      string // anchor of a way that is missing
	State   string // what it is: a class, and a word beside the sign
	Sign    string
	Writes  string // how many took it
	Before  string // how many of the others did
	First   string // the first of them
	Explain string // what shows that one
	Change  string // lost or gained
	Indent  int
	Lead    string // if, or nothing
	Text    string
	Note    string // dim, behind the text
}

// partly is the state of a test of whose ways some were taken.
const partly = "partly"

var signs = map[string]string{string(coverage.Taken): "✓", string(coverage.Missing): "✗", string(coverage.Unreachable): "–", partly: "½"}

func (p *Page) view() (*view, error) {
	v := &view{Title: "Which branches the writes took", Compares: p.Against != nil}
	for i := range p.Inputs {
		v.Inputs = append(v.Inputs, p.input(i))
	}
	for _, in := range p.Others {
		v.Inputs = append(v.Inputs, inputView{Name: in.Name, Before: true})
	}
	for _, in := range slices.Concat(p.Inputs, p.Others) {
		if in.Missing != "" {
			v.Missing = append(v.Missing, in.Name+": "+in.Missing)
		}
		if in.Unknown {
			v.Unknown = append(v.Unknown, in.Name)
		}
	}
	if coverage.Empty(p.Reports) {
		v.Missing = append(v.Missing, "no write counts, so that nothing was taken")
	}
	for i := range p.Reports {
		one, err := p.variant(&p.Reports[i])
		if err != nil {
			return nil, err
		}
		v.Variants = append(v.Variants, *one)
	}
	return v, nil
}

// input is how a recording is called where a write of it is named.
func (p *Page) input(i int) inputView {
	in := &p.Inputs[i]
	out := inputView{Name: in.Name}
	if len(p.Inputs) > 1 {
		out.Sign = sign(i)
	}
	out.Explain = in.explain("NUMBER")
	return out
}

// sign is A to Z, then A1 and so on.
func sign(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += fmt.Sprint(i / 26)
	}
	return s
}

// explain is the command that shows a write; empty where the recording is not known.
func (in *Input) explain(number string) string {
	if len(in.Traces) == 0 {
		return ""
	}
	command := "ext4dio-trace explain"
	for _, trace := range in.Traces {
		command += " --trace " + quoted(trace)
	}
	return command + " --seq " + number
}

// quoted is a name as a shell takes it.
func quoted(name string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/+,:@%", r)
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !safe(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

func (p *Page) variant(r *coverage.Report) (*variantView, error) {
	v, err := model.ParseVariant(r.Variant)
	if err != nil {
		return nil, fmt.Errorf("show coverage: %w", err)
	}
	before := reportOf(p.Against, r.Variant)
	out := &variantView{ID: r.Variant, Name: r.Variant, Share: r.Percent(), Taken: r.Taken, Reachable: r.Reachable, Writes: r.Writes, Disagree: r.Disagree, Open: r.Open}
	for _, pt := range r.Parted() {
		out.Parted = append(out.Parted, fmt.Sprintf("%s: %s: %d of those that disagree, the first is %d", pt.Function, pt.Condition, pt.Parted, pt.Where))
	}
	if p.Against != nil {
		out.Before = "no write"
		if before != nil && before.Writes > 0 {
			out.Before = before.Percent()
		}
		for _, d := range coverage.Compare([]coverage.Report{*r}, p.Against) {
			if d.Variant == r.Variant {
				out.Lost, out.Gained = ways(d.Lost), ways(d.Gained)
			}
		}
	}
	out.None = len(r.Points) - r.Reachable
	if out.Wrong = r.Conditions; out.Wrong != nil {
		for _, c := range out.Wrong.Rows {
			if c.State == coverage.Missed {
				out.Unnoticed = append(out.Unnoticed, c.Function+": "+c.Condition+": "+c.Wrong)
			}
		}
	}
	w := rows{page: p, now: r, before: before}
	lines := procedureOf(v, r.Points)
	met := map[string]bool{}
	for i := range lines {
		l := w.line(&lines[i])
		if lines[i].kind == begins {
			if met[l.Text] {
				l.Note = "goes on"
			}
			met[l.Text] = true
		}
		if l.ID != "" {
			out.Missing = append(out.Missing, missing{l.ID, wayText(&r.Points[lines[i].points[0]])})
		}
		out.Lines = append(out.Lines, l)
	}
	for _, i := range others(lines, r.Points) {
		pt := &r.Points[i]
		l := w.way(i)
		l.Text, l.Note = pt.Condition+": "+pt.Way, pt.Function
		out.Odd = out.Odd || pt.Writes > 0
		out.Elsewhere = append(out.Elsewhere, l)
	}
	return out, nil
}

func ways(points []coverage.Point) (out []string) {
	for i := range points {
		out = append(out, wayText(&points[i]))
	}
	return out
}

func wayText(p *coverage.Point) string { return p.Function + ": " + p.Condition + ": " + p.Way }

func reportOf(all []coverage.Report, variant string) *coverage.Report {
	if i := slices.IndexFunc(all, func(r coverage.Report) bool { return r.Variant == variant }); i >= 0 {
		return &all[i]
	}
	return nil
}

// rows makes the lines of one variant.
type rows struct {
	page        *Page
	now, before *coverage.Report // before may be nil
}

func (w *rows) line(l *line) row {
	out := row{Text: l.text, Note: l.fn}
	switch l.kind {
	case begins:
		out.State = "func"
	case tests:
		out.State = w.stateOf(l.points)
		if way := w.now.Points[l.points[0]].Way; way == "yes" || way == "no" {
			out.Lead = "if "
		} else {
			out.Text += ":"
		}
	case goes:
		out = w.way(l.points[0])
		out.Text, out.Note = l.text, l.fn
		if d := w.now.Points[l.points[0]].Disputed; d > 0 {
			out.Note = strings.TrimPrefix(out.Note+"; ", "; ") + fmt.Sprintf("expected of %d that disagree", d)
		}
	}
	out.Indent, out.Sign = l.depth, signs[out.State]
	return out
}

// stateOf is what a test is, of all ways that it has on this kernel.
func (w *rows) stateOf(points []int) string {
	taken, missing := 0, 0
	for _, i := range points {
		switch w.now.Points[i].State {
		case coverage.Taken:
			taken++
		case coverage.Missing:
			missing++
		}
	}
	switch {
	case taken > 0 && missing > 0:
		return partly
	case taken > 0:
		return string(coverage.Taken)
	case missing > 0:
		return string(coverage.Missing)
	}
	return string(coverage.Unreachable)
}

// way is the line of one point.
func (w *rows) way(i int) row {
	p := &w.now.Points[i]
	out := row{State: string(p.State), Sign: signs[string(p.State)], Writes: fmt.Sprint(p.Writes)}
	if p.Writes > 0 {
		out.First, out.Explain = w.first(i)
	}
	switch p.State {
	case coverage.Unreachable:
		out.Writes = ""
	case coverage.Missing:
		out.ID = fmt.Sprintf("%s-%d", w.now.Variant, i+1)
	}
	if w.page.Against == nil {
		return out
	}
	was := coverage.Point{}
	if w.before != nil {
		was = w.before.Points[i]
	}
	if was.Writes > 0 || p.State != coverage.Unreachable {
		out.Before = fmt.Sprint(was.Writes)
	}
	switch {
	case was.Writes > 0 && p.Writes == 0:
		out.Change = "lost"
	case was.Writes == 0 && p.Writes > 0:
		out.Change = "gained"
	}
	return out
}

// first is the first write that took a point, by its recording and number, and what shows it.
func (w *rows) first(i int) (number, command string) {
	for n := range w.page.Inputs {
		in := &w.page.Inputs[n]
		r := reportOf(in.Reports, w.now.Variant)
		if r == nil || r.Points[i].Writes == 0 {
			continue
		}
		if r.Points[i].First == 0 {
			return "", ""
		}
		number = fmt.Sprint(r.Points[i].First)
		command = in.explain(number)
		if len(w.page.Inputs) > 1 {
			number = sign(n) + " " + number
		}
		return number, command
	}
	return "", ""
}
