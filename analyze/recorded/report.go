package recorded

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// ReportOptions say what a report is made of.
type ReportOptions struct {
	Variant   string            // by which writes are judged: auto, or the name of one
	Redact    bool              // names are replaced by tokens
	Predictor *whatif.Predictor // tells what another variant would do; nil for none
	Tool      string            // version of this program
}

// Report makes the report of a recording.
func Report(ctx context.Context, in *tracefile.Recording, o ReportOptions) (*report.Report, error) {
	p := &report.Report{Title: "Direct writes on ext4, Linux " + in.Info().Release, Redacted: o.Redact, Names: in}
	redact := report.NewRedactor(in)
	if o.Redact {
		p.Names = redact
	}
	var row export.Row
	judged, err := replay.Judge(ctx, in, o.Variant, func(k *session.Kernel) session.Seen {
		maker := k.Maker(p.Names)
		return func(ob *observe.Observation, v *judge.Verdict) {
			maker.Fill(&row, ob, v)
			if o.Redact {
				redact.Row(&row)
			}
			p.Add(&row)
			if o.Predictor != nil {
				o.Predictor.Add(ob, string(v.Reason))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := judged.Account(&p.Summary); err != nil {
		return nil, err
	}
	if text := replay.Missing(in); text != "" {
		p.Missing = append(p.Missing, text)
	}
	if n := in.Unknown(); n > 0 {
		p.Missing = append(p.Missing, fmt.Sprintf("%d records are of kinds that this version does not know", n))
	}
	if o.Predictor != nil {
		if p.Prediction, err = predictionText(ctx, o.Predictor, judged, p.Names, redact, o.Redact); err != nil {
			return nil, err
		}
	}
	p.Facts = append(environment(in, o.Tool, o.Redact), report.Fact{Name: "judged as", Value: p.Summary.Variant},
		report.Fact{Name: "because", Value: strings.Join(p.Summary.Evidence, "; ")})
	for _, name := range judged.Plan.Unattached.Names() {
		p.Missing = append(p.Missing, "the probe for "+name+" was not attached: what it would have seen is not judged")
	}
	return p, nil
}

// environment says where a trace comes from. Redacted, it names no host, no command and
// no place.
func environment(in *tracefile.Recording, tool string, redact bool) []report.Fact {
	info := in.Info()
	out := []report.Fact{
		{Name: "kernel", Value: info.Release + " " + info.Arch}, {Name: "build", Value: info.Build},
		{Name: "CPUs", Value: fmt.Sprint(info.CPUs)}, {Name: "page size", Value: fmt.Sprint(info.PageSize)},
		{Name: "recorded", Value: info.Began.UTC().Format(time.RFC3339) + " for " + replay.Length(in).String()},
		{Name: "recorded by", Value: "ext4dio-trace " + info.Tool}, {Name: "reported by", Value: "ext4dio-trace " + tool},
	}
	host, command := info.Host, strings.Join(info.Command, " ")
	if redact && host != "" {
		host = "host-1"
	}
	if redact {
		command = ""
	}
	for _, f := range []report.Fact{{Name: "host", Value: host}, {Name: "command", Value: command}, {Name: "left out", Value: info.Excluded}} {
		if f.Value != "" && (!redact || f.Name == "host") {
			out = append(out, f)
		}
	}
	for i, fs := range info.FileSystems {
		where := fs.Source + " on " + fs.Point
		if redact {
			where = fmt.Sprintf("fs-%d", i+1)
		}
		out = append(out, report.Fact{
			Name:  "ext4 on " + fs.Dev,
			Value: fmt.Sprintf("%s, blocks of %d bytes, %s; features %s", where, fs.BlockSize, fs.SuperOptions, strings.Join(fs.Features, " ")),
		})
	}
	return out
}

// predictionText is the section of a report. Names of files come from names; those of
// processes are replaced when redacted.
func predictionText(ctx context.Context, p *whatif.Predictor, judged *replay.Judged, names export.Names, redact *report.Redactor, redacted bool) (string, error) {
	rep, err := predicted(ctx, p, judged, names)
	if err != nil {
		return "", err
	}
	for i := range rep.Writers {
		if row := (export.Row{Comm: rep.Writers[i].Comm}); redacted {
			redact.Row(&row)
			rep.Writers[i].Comm = row.Comm
		}
	}
	var b strings.Builder
	if err := rep.WriteText(&b, export.Safe); err != nil {
		return "", err
	}
	return b.String(), nil
}

// Predict tells what another variant would do with a recording; traced is the variant of
// the kernel that made it: auto, or the name of one.
func Predict(ctx context.Context, in *tracefile.Recording, traced string, o whatif.Options) (*whatif.Report, error) {
	p := whatif.New(o)
	judged, err := replay.Judge(ctx, in, traced, func(*session.Kernel) session.Seen {
		return func(ob *observe.Observation, v *judge.Verdict) { p.Add(ob, string(v.Reason)) }
	})
	if err != nil {
		return nil, err
	}
	return predicted(ctx, p, judged, in)
}

// Decisions counts what another variant would decide of the writes of a recording, as
// Predict does, without simulating time.
func Decisions(ctx context.Context, in *tracefile.Recording, traced string, c *whatif.Counter) error {
	_, err := replay.Judge(ctx, in, traced, func(*session.Kernel) session.Seen {
		return func(o *observe.Observation, v *judge.Verdict) { c.Add(o, string(v.Reason)) }
	})
	return err
}

// predicted simulates what p has taken in of a recording, with the names of files
// from names.
func predicted(ctx context.Context, p *whatif.Predictor, judged *replay.Judged, names export.Names) (*whatif.Report, error) {
	var s export.Summary
	if err := judged.Account(&s); err != nil {
		return nil, err
	}
	rep, err := p.Predict(ctx, s.Losses, replay.Missing(judged.In))
	if err != nil {
		return nil, fmt.Errorf("%w before all was simulated", replay.ErrInterrupted)
	}
	rep.Traced = s.Variant
	for i := range rep.Files {
		g := &rep.Files[i]
		g.Path = names.Path(g.Dev, g.Ino, 0)
	}
	return rep, nil
}
