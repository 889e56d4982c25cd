package compare

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/report"
)

//go:embed page.html
var pageText string

// page is what the HTML shows. All texts are escaped by the template.
type page struct {
	Sentence string
	Problems []string
	A, B     string
	Facts    []fact // those that differ
	Pairs    []pagePair
	Singles  []pageSingles
	How      []string
}

type pagePair struct {
	Title, FileB string
	Changed      bool
	A, B         uint64
	Lines        []pageLine
}

type pageLine struct {
	Name, A, B, Change, Interval, Changed string
	Bad                                   bool
}

type pageSingles struct {
	Name  string
	Lines []string
}

// WriteHTML writes the report as one HTML file that needs nothing else.
func (r *Report) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	err := report.HTML(pageText).Execute(&b, r.page())
	if err == nil {
		_, err = b.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func (r *Report) page() *page {
	out := &page{Sentence: r.Sentence(), Problems: r.problems(), A: r.A.told(), B: r.B.told(), Facts: r.differing(), How: r.how()}
	for i := range r.Pairs {
		p := &r.Pairs[i]
		v := pagePair{Title: p.Title(), FileB: safe(p.FileB), A: p.WritesA, B: p.WritesB, Changed: len(p.changed()) > 0}
		for k := range p.Changes {
			c := &p.Changes[k]
			v.Lines = append(v.Lines, pageLine{c.label(), c.text(c.A), c.text(c.B), c.difference(), c.interval(), c.verdict(), c.Significant})
		}
		out.Pairs = append(out.Pairs, v)
	}
	for _, s := range []struct {
		name string
		list []Single
	}{{"A", r.OnlyA}, {"B", r.OnlyB}} {
		if len(s.list) == 0 {
			continue
		}
		v := pageSingles{Name: s.name}
		for i := range s.list {
			v.Lines = append(v.Lines, fmt.Sprintf("%s: %s", export.Plural(s.list[i].Writes, "write"), s.list[i].Title()))
		}
		out.Singles = append(out.Singles, v)
	}
	return out
}
