package bench

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Measures of a plot, in pixels.
const (
	plotWidth  = 720 // without the names of the kernels beyond plotKey
	plotHeight = 360
	plotLeft   = 80  // room for the numbers of the y axis
	plotTop    = 50  // room for the title
	plotBottom = 50  // room for the numbers of the x axis
	plotKey    = 190 // room for the names of the kernels, more where they need it
	keyLeft    = 50  // of that, before a name
	letterWide = 8   // of a name, on average and a little more
)

// strokes, dashes and marks tell lines apart: each line has its own of all three, so
// that any one of them is enough.
var (
	strokes = []string{"#000000", "#0060a8", "#b85000", "#007a4d", "#8a2a8a", "#666666"}
	dashes  = []string{"", "8 4", "2 3", "10 3 2 3", "5 2", "1 5"}
)

// mark draws the sign of line i at a point.
func mark(i int, x, y float64) string {
	const r = 5
	color := strokes[i%len(strokes)]
	switch i % 6 {
	case 0:
		return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="%d" fill="%s"/>`, x, y, r, color)
	case 1:
		return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%d" height="%d" fill="%s"/>`, x-r, y-r, 2*r, 2*r, color)
	case 2:
		return fmt.Sprintf(`<path d="M%.1f %.1fl6 10h-12z" fill="%s"/>`, x, y-r-1, color)
	case 3:
		return fmt.Sprintf(`<path d="M%.1f %.1fl6 6l-6 6l-6 -6z" fill="%s"/>`, x, y-r-1, color)
	case 4:
		return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="%d" fill="#fff" stroke="%s" stroke-width="2"/>`, x, y, r, color)
	}
	return fmt.Sprintf(`<path d="M%.1f %.1fl10 10m0 -10l-10 10" stroke="%s" stroke-width="2"/>`, x-r, y-r, color)
}

// escape makes text fit for XML.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(safe(s))) // a Builder does not fail
	return b.String()
}

// plot is the picture of one test.
type plot struct {
	top     float64 // y of its upper edge in the file
	jobs    []int
	highest float64 // IOPS at the upper end of the y axis
}

// x is where a number of jobs lies: each step is as wide as the next.
func (p *plot) x(i int) float64 {
	w := float64(plotWidth - plotLeft - plotKey)
	return plotLeft + w*(float64(i)+0.5)/float64(len(p.jobs))
}

// y is where a number of IOPS lies.
func (p *plot) y(iops float64) float64 {
	h := float64(plotHeight - plotTop - plotBottom)
	return p.top + plotTop + h*(1-iops/p.highest)
}

// svg writes one plot for each test, one below the other.
func (c Comparison) svg(b *strings.Builder) {
	tests := c.tests()
	width, height := plotWidth, plotHeight*len(tests)
	for _, x := range c {
		width = max(width, plotWidth-plotKey+keyLeft+letterWide*utf8.RuneCountInString(safe(x.Name)))
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n",
		width, height, width, height)
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, t := range tests {
		p := &plot{top: float64(i * plotHeight), jobs: c.jobs(t.Name), highest: 10}
		for _, x := range c {
			for _, n := range p.jobs {
				if s := x.reports[t.Name].step(n); s != nil {
					p.highest = max(p.highest, s.IOPS)
				}
			}
		}
		step := niceStep(p.highest)
		p.highest = step * math.Ceil(p.highest/step)
		p.axes(b, t, step)
		for k, x := range c {
			p.line(b, k, x, t.Name)
		}
	}
	b.WriteString("</svg>\n")
}

// niceStep is the distance of the lines of a grid: 1, 2 or 5 times a power of ten,
// so that no more than six of them reach most.
func niceStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most/6)))
	for _, k := range []float64{1, 2, 5} {
		if most <= 6*k*power {
			return k * power
		}
	}
	return 10 * power
}

// axes draws the title, the grid and its numbers.
func (p *plot) axes(b *strings.Builder, t Test, step float64) {
	fmt.Fprintf(b, `<text x="%d" y="%.1f" font-size="14">%s: IOPS over JOBS</text>`+"\n", plotLeft, p.top+20, escape(t.Heading))
	fmt.Fprintf(b, `<text x="%d" y="%.1f" fill="#444">%s</text>`+"\n", plotLeft, p.top+37, escape(t.Title))
	for v := 0.0; v <= p.highest+step/2; v += step {
		y := p.y(v)
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ccc"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, y, plotWidth-plotKey, plotLeft-8, y+4, grouped(v))
	}
	for i, n := range p.jobs {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%d</text>`+"\n", p.x(i), p.y(0)+18, n)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">JOBS</text>`+"\n",
		float64(plotLeft+plotWidth-plotKey)/2, p.y(0)+36)
}

// line draws one kernel and its name in the key.
func (p *plot) line(b *strings.Builder, k int, x Column, test string) {
	var path, marks strings.Builder
	next := "M" // a step that was not measured leaves a gap
	for i, n := range p.jobs {
		s := x.reports[test].step(n)
		if s == nil {
			next = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", next, p.x(i), p.y(s.IOPS))
		marks.WriteString(mark(k, p.x(i), p.y(s.IOPS)))
		next = "L"
	}
	if path.Len() == 0 {
		return
	}
	style := fmt.Sprintf(`fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"`, strokes[k%len(strokes)], dashes[k%len(dashes)])
	fmt.Fprintf(b, `<path d="%s" %s/>%s`+"\n", path.String(), style, marks.String())
	kx, ky := float64(plotWidth-plotKey+12), p.top+plotTop+float64(20*k)
	fmt.Fprintf(b, `<path d="M%.1f %.1fh30" %s/>%s<text x="%.1f" y="%.1f">%s</text>`+"\n", kx, ky, style, mark(k, kx+15, ky), kx+keyLeft-12, ky+4, escape(x.Name))
}
