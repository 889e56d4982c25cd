package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/export"
	reports "github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/tui"
)

// screenReport writes a report from the screen into a new folder: of the whole recording
// that is shown, and of a kernel of what is kept.
func (t *trace) screenReport(rows []tui.Numbered, s export.Summary) (string, error) {
	flags := reportFlags{out: "ext4dio-report-" + time.Now().Format("20060102-150405")}
	if t.paths != nil {
		in, err := openTrace(t.paths, "", "reported")
		if err != nil {
			return "", err
		}
		defer in.Close()
		p, err := recorded.Report(context.Background(), in, recorded.ReportOptions{Variant: t.opts.variant, Tool: versionText()})
		if err != nil {
			return "", err
		}
		return flags.written(p)
	}
	return flags.written(t.keptReport(rows, s))
}

// keptReport makes a report of the writes that are kept, and says what is not in it.
func (t *trace) keptReport(rows []tui.Numbered, s export.Summary) *reports.Report {
	names := keptNames{}
	p := &reports.Report{Title: "Direct writes on ext4, Linux " + t.Facts.Release, Names: names}
	for i := range rows {
		r := &rows[i].Row
		names[keptName{r.Dev, r.Ino}] = r.Path
		p.Add(r)
	}
	kept := p.Summary.Totals
	all := s.Totals.Writes
	p.Summary = s
	p.Summary.Totals = kept
	if kept.Writes < all {
		p.Missing = append(p.Missing, fmt.Sprintf("made from the live view: %d of the %d writes that were seen are in it, the newest and the first of each kind of disagreement; "+
			"a report of all needs a recording (live --record, or r)", kept.Writes, all))
	}
	n, missing := t.Attached()
	p.Facts = []reports.Fact{
		{Name: "kernel", Value: t.Facts.Release}, {Name: "probes", Value: fmt.Sprintf("%d attached (%s)", n, t.Plan.Mode)},
		{Name: "reported by", Value: progName + " " + versionText()}, {Name: "judged as", Value: s.Variant},
		{Name: "because", Value: strings.Join(s.Evidence, "; ")},
	}
	for _, f := range missing {
		p.Missing = append(p.Missing, "the probe for "+f+" was not attached: what it would have seen is not judged")
	}
	return p
}

// keptName names a file.
type keptName struct {
	dev uint32
	ino uint64
}

// keptNames are the names of files that rows have.
type keptNames map[keptName]string

// Path implements export.Names.
func (k keptNames) Path(dev uint32, ino uint64, _ uint32) string { return k[keptName{dev, ino}] }

// written writes p and says where.
func (f *reportFlags) written(p *reports.Report) (string, error) {
	if err := f.write(p, nil); err != nil {
		return "", err
	}
	text := fmt.Sprintf("wrote %s/: report.html, report.txt", f.out)
	if n := p.Kinds(); n > 0 {
		text += fmt.Sprintf(", repeat-1.sh to repeat-%d.sh", n)
	}
	return text, nil
}
