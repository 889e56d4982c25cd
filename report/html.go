package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

//go:embed page.html page.txt head.html
var files embed.FS

//go:embed style.css
var style string

// words are what the templates of both forms call.
var words = template.FuncMap{"safe": export.Safe, "duration": export.Duration, "repeat": strings.Repeat, "style": func() template.CSS { return template.CSS(style) }}

// HTML is a template whose text can begin with {{template "head" TITLE}}: the head of every
// page that this program makes, which lets nothing in from elsewhere.
func HTML(text string) *template.Template {
	t := template.Must(template.New("page").Funcs(words).ParseFS(files, "head.html"))
	return template.Must(t.Parse(text))
}

// WriteHTML writes the report as one HTML file that needs nothing else.
func (p *Report) WriteHTML(w io.Writer) error {
	text, err := files.ReadFile("page.html")
	if err != nil {
		return err // it is a part of the program
	}
	return p.write(w, HTML(string(text)))
}

// write writes the report in one of its forms, a template of html/template or of
// text/template, all of it at once.
func (p *Report) write(w io.Writer, form interface{ Execute(io.Writer, any) error }) error {
	v, err := p.page()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = form.Execute(&b, v)
	if err == nil {
		_, err = b.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Sizes of the drawings, in their own units.
const (
	binWidth, histHeight = 14, 60
	laneWidth, laneHigh  = 640, 24
)

// Bars draws the distribution. Nothing in it comes from the traced system.
func (t timesOf) Bars() template.HTML {
	first, last := t.hist.span()
	if last < first {
		return ""
	}
	most := t.hist.most()
	var b strings.Builder
	width := (last - first + 1) * binWidth
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="distribution of %d times, half at most %s">`, width, histHeight, width, histHeight, t.all.Len(), t.atMost(0.5))
	for i := first; i <= last; i++ {
		n := t.hist[i]
		high := float64(n) / float64(most) * (histHeight - 2)
		if n > 0 {
			high = max(high, 1)
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%.1f" width="%d" height="%.1f"><title>from %s: %d</title></rect>`,
			t.Mode, (i-first)*binWidth, histHeight-high, binWidth-2, high, export.Duration(histogram.BinStart(i, 0)), n)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// atMost is what a share q of the times is at most.
func (t timesOf) atMost(q float64) string { return export.Duration(quantile(t.all, q)) }

// Words is the distribution in words.
func (t timesOf) Words() string {
	text := fmt.Sprintf("%d writes", t.all.Len())
	if zero := t.hist[0]; zero > 0 {
		text += fmt.Sprintf(", of which %d did not wait", zero)
	}
	return text + fmt.Sprintf("; half at most %s, 99 %% at most %s, longest %s", t.atMost(0.5), t.atMost(0.99), export.Duration(t.all.Max()))
}

// Range is what the bars stand for.
func (t timesOf) Range() string {
	first, last := t.hist.span()
	if last < first {
		return ""
	}
	return fmt.Sprintf("From %s to %s, each bar to twice the time of the one before it.", export.Duration(histogram.BinStart(first, 0)), export.Duration(histogram.BinStart(last+1, 0)))
}

// Strip draws the timeline: shared below, exclusive above, both as high as their part.
func (l laneLine) Strip() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" width="100%%" height="%d" preserveAspectRatio="none" role="img" aria-label="%d writes">`, laneWidth, laneHigh, laneHigh, l.Writes)
	width := float64(laneWidth) / float64(l.used)
	for i := range l.used {
		n := l.lane.bins[i]
		all := n[0] + n[1] + n[2]
		if all == 0 {
			continue
		}
		y := float64(laneHigh)
		for _, part := range [...]struct {
			mode export.Lock
			n    uint32
		}{{export.Shared, n[1]}, {export.NoLock, n[0]}, {export.Exclusive, n[2]}} {
			high := float64(part.n) / float64(all) * laneHigh
			y -= high
			if part.n > 0 {
				fmt.Fprintf(&b, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f"><title>%s: %d of %d</title></rect>`,
					part.mode, float64(i)*width, y, width, high, part.mode, part.n, all)
			}
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}
