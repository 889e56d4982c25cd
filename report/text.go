package report

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// WriteText writes the report as plain text, fit for a mail.
func (p *Report) WriteText(w io.Writer) error {
	return p.write(w, template.Must(template.New("page.txt").Funcs(words).ParseFS(files, "page.txt")))
}

// barWidth is the longest bar of a distribution, characters.
const barWidth = 40

// Lines are the bins of the distribution, with bars.
func (t timesOf) Lines() (out []string) {
	most := t.hist.most()
	first, last := t.hist.span()
	for i := first; i <= last; i++ {
		n := t.hist[i]
		bar := strings.Repeat("#", int((n*barWidth+most-1)/most))
		out = append(out, fmt.Sprintf("%9s %9d %s", export.Duration(histogram.BinStart(i, 0)), n, bar))
	}
	return out
}

// textBins is how many characters show a timeline.
const textBins = 40

// Row is a timeline in characters.
func (l laneLine) Row() string {
	var out [textBins]byte
	for i := range out {
		var sum bin
		for k := i * l.used / textBins; k < max((i+1)*l.used/textBins, i*l.used/textBins+1) && k < numBins; k++ {
			for m, n := range l.lane.bins[k] {
				sum[m] += n
			}
		}
		switch {
		case sum[1] > 0 && sum[2] > 0:
			out[i] = '+'
		case sum[2] > 0:
			out[i] = 'x'
		case sum[1] > 0:
			out[i] = '.'
		case sum[0] > 0:
			out[i] = '-'
		default:
			out[i] = ' '
		}
	}
	return "|" + string(out[:]) + "|"
}
