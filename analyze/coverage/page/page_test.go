package page

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// take is a report of writes by which the points with these numbers were taken.
func take(v model.Variant, writes uint64, points ...int) coverage.Report {
	r := coverage.None(v)
	r.Writes = writes
	for n, i := range points {
		p := &r.Points[i]
		if p.State == coverage.Unreachable {
			r.Reachable++
		}
		p.State, p.Writes, p.First = coverage.Taken, uint64(n+1), uint64(10*n+1)
		r.Taken++
	}
	r.Share = float64(r.Taken) / float64(r.Reachable)
	return r
}

func numbered(n int) (out []int) {
	for i := range n {
		out = append(out, 2*i+1)
	}
	return out
}

// sample is a page of two variants, from a recording and a saved coverage, compared with others.
func sample() *Page {
	a, b := take(model.Linux73, 50, numbered(30)...), take(model.Linux61, 9, 0, 3, 4)
	a.Disagree, a.Points[1].Disputed = 3, 2
	a.Points[20].Parted, a.Points[20].Where = 3, 7
	return &Page{
		Reports: []coverage.Report{b, a},
		Inputs: []Input{
			{Name: "a b.e4d, c.e4d", Traces: []string{"a b.e4d", "c.e4d"}, Reports: []coverage.Report{a}},
			{Name: "week.json", Unknown: true, Reports: []coverage.Report{b}},
		},
		Against: []coverage.Report{take(model.Linux73, 80, numbered(20)[3:]...), take(model.Linux61, 80, 4, 44)},
		Others:  []Input{{Name: "last.e4d", Traces: []string{"last.e4d"}, Missing: "the recording was not closed"}},
	}
}

func html(t *testing.T, p *Page) string {
	t.Helper()
	var b strings.Builder
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	head    = regexp.MustCompile(`(?s)^.*</head>`)
	rowTag  = regexp.MustCompile(`<tr(?: id="([^"]*)")?(?: class="([^"]*)")?>`)
	cell    = regexp.MustCompile(`</t[dh]>`)
	titled  = regexp.MustCompile(`<td class="n" title="([^"]*)">`)
	tag     = regexp.MustCompile(`<[^>]*>`)
	manyEnd = regexp.MustCompile(`[ |]+\n|\n\n+`)
)

// shown is what a page says, with the classes and anchors of its lines.
func shown(page string) string {
	s := head.ReplaceAllString(page, "")
	s = rowTag.ReplaceAllString(s, "{$2 $1} ")
	s = titled.ReplaceAllString(s, "<$1> ")
	s = strings.ReplaceAll(s, "&lt;", "(")
	s = regexp.MustCompile(`</(li|summary)>`).ReplaceAllString(s, "\n")
	s = cell.ReplaceAllString(s, "|")
	s = regexp.MustCompile(`<(ext4dio[^>]*)>`).ReplaceAllString(s, "[$1]")
	s = tag.ReplaceAllString(s, "")
	return strings.TrimSpace(manyEnd.ReplaceAllString(s, "\n")) + "\n"
}

// The structure of a page: what stands on which line, in which state, and what it refers to.
func TestPage(t *testing.T) {
	testkit.Golden(t, "page.txt", shown(html(t, sample())))
}

// Each way that counts stands on the page once, by its counts; what is missing first, with a
// line that it leads to; nothing comes from elsewhere.
func TestPageIsWhole(t *testing.T) {
	p := sample()
	page := html(t, p)
	for i := range p.Reports {
		r := &p.Reports[i]
		_, section, _ := strings.Cut(page, `<section id="`+r.Variant+`">`)
		section, _, _ = strings.Cut(section, "</section>")
		missing := r.Reachable - r.Taken
		lines := strings.Count(section, `<tr id="`)
		if n := strings.Count(section, `<li><a href="#`+r.Variant+`-`); n != missing || lines != missing {
			t.Errorf("%s: %d missing are listed, on %d lines, want %d", r.Variant, n, lines, missing)
		}
		counted := 0
		for _, pt := range r.Points {
			if pt.Writes > 0 && strings.Contains(section, fmt.Sprintf(`<td class="n">%d</td>`, pt.Writes)) {
				counted++
			}
		}
		if counted != r.Taken {
			t.Errorf("%s: the page has the writes of %d ways, want %d", r.Variant, counted, r.Taken)
		}
	}
	if i, j := strings.Index(page, "the recording was not closed"), strings.Index(page, `id="variants"`); i < 0 || i > j {
		t.Error("what is missing does not stand first")
	}
	for _, bad := range []string{"<script", "http:", "https:", "url(", "@import", "src="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	testkit.WellFormed(t, page)
}

// No name of a file becomes markup, and the command takes each as it is.
func TestHostile(t *testing.T) {
	for _, name := range exporttest.Hostile {
		p := sample()
		p.Inputs = p.Inputs[:1]
		p.Inputs[0].Name, p.Inputs[0].Traces, p.Inputs[0].Missing = name, []string{name}, name
		p.Others[0].Name = name
		page := html(t, p)
		testkit.WellFormed(t, page)
		if strings.Contains(page, "<script") || strings.Contains(page, "<img") {
			t.Errorf("%q became markup", name)
		}
	}
	for name, want := range map[string]string{"a.e4d": "a.e4d", "/t/a_b-1.e4d": "/t/a_b-1.e4d", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := quoted(name); got != want {
			t.Errorf("quoted(%q) is %s, want %s", name, got, want)
		}
	}
}

// A coverage of no write says so on top, and one of a variant that is not known is an error.
func TestNothing(t *testing.T) {
	page := html(t, &Page{Reports: []coverage.Report{coverage.None(model.Linux73)}})
	if !strings.Contains(page, "Not all was recorded") || !strings.Contains(page, "no write counts") || strings.Contains(page, `<tr class="taken"><td class="state">✓ taken</td><td class="n">`) {
		t.Error("a page of no write looks as if there were some")
	}
	if err := (&Page{Reports: []coverage.Report{{Variant: "linux-9.9"}}}).WriteHTML(io.Discard); err == nil {
		t.Error("a variant that is not known is shown")
	}
}

func TestSign(t *testing.T) {
	var got []string
	for _, i := range []int{0, 25, 26, 52} {
		got = append(got, sign(i))
	}
	if !slices.Equal(got, []string{"A", "Z", "A1", "A2"}) {
		t.Error(got)
	}
}
