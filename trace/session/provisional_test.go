package session

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// recordsOf are those of a recorded trace, and the kernel that it is of.
func recordsOf(t *testing.T, name string) (*Kernel, [][]byte) {
	t.Helper()
	all, err := tracefile.OpenRecordings(filepath.Join("..", "..", "testdata", "traces", name))
	if err != nil {
		t.Fatal(err)
	}
	defer all[0].Close()
	k, err := Recorded(all[0].Info())
	if err != nil {
		t.Fatal(err)
	}
	var raws [][]byte
	for {
		raw, err := all[0].Next()
		if errors.Is(err, record.ErrEnd) {
			return &k, raws
		}
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, slices.Clone(raw))
	}
}

// counting is a sink that counts as the screen does.
type counting struct {
	Lines
	totals      export.Totals
	provisional int
	notes       []string
}

func (c *counting) Row(r *export.Row) {
	c.totals.Add(r)
	if r.Provisional.V {
		c.provisional++
	}
}

func (c *counting) Anew() func(*export.Row) {
	c.totals = export.Totals{}
	return func(r *export.Row) { c.totals.Add(r) }
}

func (c *counting) Note(text string) { c.notes = append(c.notes, text) }

// TestTotalsAreCorrected: early writes of base look like patch4, then like patch3. At the
// end of a live trace the totals are those of base, as if that had been known from the
// first write on, and what was judged before is said to have been provisional.
func TestTotalsAreCorrected(t *testing.T) {
	for _, name := range []string{"base.e4d", "series-v2.e4d", "patch3.e4d"} {
		k, raws := recordsOf(t, name)
		run := func(k *Kernel) (*Trace, *counting) {
			tr, err := New(k, Options{Variant: "auto"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.Close)
			if s := tr.Banner("tracing"); strings.Contains(s, ", provisional variant ") != (k.Settled == nil) {
				t.Errorf("%s: the banner is %q", name, s)
			}
			sink := &counting{Lines: Lines{Out: io.Discard}}
			tr.Sink = sink
			if err := play(t, tr, &replaySource{raws: raws, n: len(raws)}); err != nil {
				t.Fatal(err)
			}
			return tr, sink
		}
		live, shown := run(k)
		known := *k
		known.Settled = live.Detector().Final()
		want, _ := run(&known)
		for what, got := range map[string]*export.Totals{"summary": &live.Summary.Totals, "sink": &shown.totals} {
			if !reflect.DeepEqual(got, &want.Summary.Totals) {
				t.Errorf("%s: %s has the reasons %v, want %v", name, what, got.Reasons(), want.Summary.Totals.Reasons())
			}
		}
		if shown.provisional == 0 || len(shown.notes) == 0 {
			t.Errorf("%s: %d writes were provisional, and said was %q", name, shown.provisional, shown.notes)
		}
		if s := strings.Join(live.Summary.Evidence, "; "); strings.Contains(s, "were judged as") {
			t.Errorf("%s: the totals are corrected, and the evidence says %q", name, s)
		}
	}
}

// TestTooManyToCorrect: where the early writes are too many to be kept, that is said.
func TestTooManyToCorrect(t *testing.T) {
	k, raws := recordsOf(t, "base.e4d")
	var out bytes.Buffer
	tr, err := New(k, Options{Variant: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	sink := &counting{Lines: Lines{Out: &out}}
	tr.Sink, tr.late = sink, true
	if err := play(t, tr, &replaySource{raws: raws, n: len(raws)}); err != nil {
		t.Fatal(err)
	}
	const want = "were judged as patch4"
	if s := strings.Join(tr.Summary.Evidence, "; "); !strings.Contains(s, want) || !strings.Contains(strings.Join(sink.notes, "; "), "stay so in the totals") {
		t.Errorf("evidence %q and notes %q, want %q", s, sink.notes, want)
	}
}
