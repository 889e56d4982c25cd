package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// What was seen to be wrong decides the status, whatever failed besides; all of it is said.
func TestForemost(t *testing.T) {
	wrong := &exit.Error{Code: exit.Disagree, Msg: "2 writes were wrong", Hint: "look"}
	unfit := &exit.Error{Code: exit.Unfit, Msg: "no room"}
	for name, tt := range map[string]struct {
		errs []error
		code int
		msg  string
	}{
		"nothing":         {[]error{nil, nil}, 0, ""},
		"one":             {[]error{nil, unfit}, exit.Unfit, "no room"},
		"wrong":           {[]error{wrong, nil}, exit.Disagree, "2 writes were wrong"},
		"wrong last":      {[]error{io.ErrShortWrite, unfit, wrong}, exit.Disagree, "2 writes were wrong; short write; no room"},
		"said already":    {[]error{errors.New("were wrong"), wrong}, exit.Disagree, "2 writes were wrong"},
		"without a word":  {[]error{unfit, &exit.Error{Code: exit.Disagree}}, exit.Disagree, "a disagreement was seen; no room"},
		"first of others": {[]error{unfit, &exit.Error{Code: exit.Unproven, Msg: "lost"}}, exit.Unfit, "no room"},
	} {
		err := foremost(tt.errs...)
		if tt.code == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e := asExit(err); e.Code != tt.code || e.Msg != tt.msg {
			t.Errorf("%s: %d, %q", name, e.Code, e.Msg)
		}
	}
	if wrong.Msg != "2 writes were wrong" {
		t.Errorf("the error itself was changed: %q", wrong.Msg)
	}
}

// full is an output on a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }

// TestWrongWins: the commands end with the status of what they saw to be wrong, though an
// error ended them.
func TestWrongWins(t *testing.T) {
	const wrong = "../../testdata/traces/wrong-tail-unchecked.e4d"
	noRoom := filepath.Join(t.TempDir(), "report.html")
	if err := os.Symlink("/dev/full", noRoom); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"check that cannot write": func() error {
			f := checkFlags{variant: "auto"}
			return f.run(t.Context(), full{}, []string{wrong})
		},
		"report that cannot write": func() error {
			f := reportFlags{out: noRoom}
			f.Variant = "auto"
			return f.run(t.Context(), []string{wrong})
		},
		"live that fails": func() error {
			tr := newTestTrace(t, &liveOptions{json: true, variant: "linux-7.2"}, io.Discard)
			tr.stderr = io.Discard
			return tr.finish(errors.Join(play(t, tr, &tracetest.Source{N: 300}), unix.ENOSPC), nil)
		},
		"vm whose /out cannot be saved": func() error { return vmError(io.Discard, exit.Disagree, unix.ENOSPC) },
		"bench of which a step failed": func() error {
			cut := bench.Step{Traced: &bench.Traced{Locks: bench.Locks{Seen: 3, Disagree: 1}}}
			return foremost(benchError(unix.ENOSPC), nil, benchStatus([]*bench.Report{{Test: "test1", CutShort: &cut}}))
		},
	} {
		e := asExit(f())
		if e.Code != exit.Disagree || e.Msg == "" {
			t.Errorf("%s: %d, %q", name, e.Code, e.Msg)
		}
		t.Logf("%s: %s", name, e.Msg)
	}
}
