package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// expectFlag is --expect: files of policies, or policies.
type expectFlag struct{ expect []string }

// expectHint is what can be typed.
const expectHint = `--expect 'path~"\.ibd$": exclusive<1%, p99(wait)<1ms, undecided=0'`

func (f *expectFlag) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.expect, "expect", nil, "a policy, or a `FILE` with one a line, such as 'comm~mysqld: exclusive<1%, p99(wait)<1ms, undecided=0'")
}

// policies understands the flag. What is the name of a file is one.
func (f *expectFlag) policies() (all []*expect.Policy, err error) {
	for _, text := range f.expect {
		name := ""
		b, err := os.ReadFile(text)
		switch {
		case err == nil:
			name, text = text, string(b)
		case !errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(text, "<>=:"):
			return nil, usagef(expectHint, "cannot read policies: %v", err)
		}
		some, err := expect.Parse(name, text)
		switch {
		case err == nil:
		case name == "" && !strings.ContainsAny(text, "<>=:"):
			return nil, usagef(expectHint, "%s is neither a file nor a policy", text)
		case name == "":
			return nil, usagef(expectHint, "--expect: %v", err)
		default:
			return nil, usagef(expectHint, "%v", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// expectedStatus is what policies say of recordings.
func expectedStatus(done []*recorded.Checked) error {
	var all []expect.Result
	for _, c := range done {
		all = append(all, c.Expected()...)
	}
	return resultStatus(all)
}

// resultStatus is what came of policies as an error: nil when all are kept.
func resultStatus(all []expect.Result) error {
	switch expect.StateOf(all) {
	case expect.Broken:
		return &exit.Error{Code: exit.Disagree, Msg: "a policy is broken"}
	case expect.Unproven:
		return &exit.Error{Code: exit.Unproven, Msg: "a policy is unproven"}
	}
	return nil
}

// watching shows a sink's rows to policies, and says when one breaks first.
type watching struct {
	session.Sink
	watch *expect.Watch
	tell  func(text string)
}

// watched puts the policies in front of the sink; it changes nothing without any.
func (t *trace) watched(tell func(text string)) {
	if len(t.opts.expected) > 0 {
		t.watch = expect.NewWatch(t.opts.expected)
		t.Sink = &watching{t.Sink, t.watch, tell}
	}
}

// Row implements session.Sink.
func (w *watching) Row(r *export.Row) {
	w.watch.Add(r)
	w.Sink.Row(r)
}

// Flush implements session.Sink.
func (w *watching) Flush(s *export.Summary) error {
	for _, news := range w.watch.News() {
		w.tell("policy " + news.Line())
	}
	return w.Sink.Flush(s)
}

// Anew implements session.Counter.
func (w *watching) Anew() func(*export.Row) {
	w.watch.Anew()
	again := func(*export.Row) {}
	if c, ok := w.Sink.(session.Counter); ok {
		again = c.Anew()
	}
	return func(r *export.Row) {
		w.watch.Add(r)
		again(r)
	}
}

// Hold implements session.HoldSink.
func (w *watching) Hold(h *observe.Hold, path string) {
	if s, ok := w.Sink.(session.HoldSink); ok {
		s.Hold(h, path)
	}
}

// Note implements session.Noter.
func (w *watching) Note(text string) {
	if s, ok := w.Sink.(session.Noter); ok {
		s.Note(text)
	}
}

// expected says on stderr what came of the policies, and returns it as an error.
func (t *trace) expected() error {
	if t.watch == nil {
		return nil
	}
	all := t.watch.Results(expect.WholeOf(&t.Summary, ""))
	_ = expect.WriteText(t.stderr, all) // there may be nobody to tell any more
	return resultStatus(all)
}
