package report

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
)

var keepFile = flag.String("keep", "", "keep the HTML of TestHostile here, to look at it")

func sample() *Report {
	p := &Report{Title: "Direct writes on Linux 7.3.4\x1b[2J", Facts: []Fact{{"kernel", "7.3.4 </script>\x1b"}}, Names: exporttest.Paths{}}
	p.Summary.Losses.LostRing = 7
	p.Missing = []string{"the recording was not closed"}
	for _, name := range exporttest.Hostile {
		p.Summary.Advice = append(p.Summary.Advice, export.Advice{
			ID: "zeroing", Sentence: "Writes are exclusive: 7 of 8 writes to " + name, Why: "the reason", Remedies: []string{"write it first"}, Sure: "counted",
		})
	}
	rows := exporttest.Rows()
	for i := range rows {
		p.Add(&rows[i])
	}
	for i, name := range exporttest.Hostile {
		r := rows[6].Clone()
		r.Comm, r.Path, r.Ino = name, name, uint64(300+i)
		r.Reason, r.Why = name, []string{name, name}
		r.Waits = []observe.Wait{{Ns: 100, Lock: record.LockExclusive, AtUs: 1}}
		p.Add(&r)
	}
	return p
}

func texts(t *testing.T, p *Report) (text, html string) {
	t.Helper()
	var a, b strings.Builder
	if err := errors.Join(p.WriteText(&a), p.WriteHTML(&b)); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

// TestHostile: no name becomes markup, an address or a control character.
func TestHostile(t *testing.T) {
	text, html := texts(t, sample())
	if *keepFile != "" {
		if err := os.WriteFile(*keepFile, []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]string{"text": text, "HTML": html} {
		if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: a control character: %q", name, s[max(i-30, 0):i+30])
		}
		for _, want := range []string{"ring buffer full", "the recording was not closed", "1 write not judged: ", "R1 R2 R6", "#!/bin/sh",
			"Advice", "7 of 8 writes to", "the reason", "write it first", "counted"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
	}
	for _, bad := range []string{"<script", "onerror=alert(1)>", "http:", "https:", "url(", "@import", "src="} {
		if i := strings.Index(html, bad); i >= 0 && !strings.Contains(html[max(i-8, 0):i+40], "&lt;img") {
			t.Errorf("the page has %s: %q", bad, html[max(i-40, 0):i+40])
		}
	}
	testkit.WellFormed(t, html)
}

// A recording with budgets says where the time went, and of one without nothing is said.
func TestBudgets(t *testing.T) {
	row := exporttest.Rows()[0].Clone()
	without, _ := texts(t, reportOf(row))
	row.Budget.Known = true
	for p := range row.Budget.V.Ns {
		row.Budget.V.Ns[p] = export.Some[uint64](0)
	}
	row.Budget.V.Ns[record.BudgetDevice] = export.Some[uint64](5_000_000)
	text, html := texts(t, reportOf(row))
	for name, s := range map[string]string{"text": text, "html": html} {
		for _, want := range []string{"Where the time goes", "  100 %    5.00ms    5.00ms    5.00ms    device", "slowest 1 %: 1 write of 5.00ms or more, device 100 %"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
	}
	testkit.WellFormed(t, html)
	if strings.Contains(without, "Where the time goes") {
		t.Error("a recording without budgets says where the time goes")
	}
}

func reportOf(rows ...export.Row) *Report {
	p := &Report{}
	for i := range rows {
		p.Add(&rows[i])
	}
	return p
}

func TestEmpty(t *testing.T) {
	text, html := texts(t, &Report{Title: "nothing"})
	for _, want := range []string{"nothing: no write was lost", "none\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if !strings.Contains(html, "Nothing is missing") || strings.Contains(html, "NaN") {
		t.Errorf("%s", html)
	}
}

// write holds the lock of inode 20 from at+1 to at+10 us.
func write(at uint64, comm string, mode record.Lock, waits ...observe.Wait) export.Row {
	o := observe.Observation{
		Time: at, Comm: comm, Pid: 1, Dev: 8 << 20, Ino: 20, Blkbits: 12, Dio: true, Lock: mode, Completed: true, SubmitNs: 10_000, LatencyNs: 10_000,
		Passes: []observe.Pass{{Lock: mode, AtUs: 1}}, Waits: waits,
	}
	for _, w := range waits {
		o.Passes[0].AtUs, o.SubmitNs, o.WaitNs = w.AtUs, uint64(w.AtUs)*1000+9000, o.WaitNs+w.Ns
	}
	r := export.Row{}
	(&export.Maker{}).Fill(&r, &o, nil)
	return r
}

// TestBlames: who waited for whom, and for how long of it that one held the lock. It adds
// up to all that was waited.
func TestBlames(t *testing.T) {
	p := &Report{}
	part := func(cause observe.Cause, comm string, mode record.Lock, ns uint64, with ...string) observe.Part {
		out := observe.Part{Cause: cause, Mode: mode, Ns: ns, Others: len(with), Actor: observe.Actor{Op: observe.OpWrite, Comm: comm}}
		for _, w := range with {
			out.With = append(out.With, observe.Actor{Op: observe.OpWrite, Comm: w})
		}
		return out
	}
	wait := func(ns uint64, parts ...observe.Part) observe.Wait {
		return observe.Wait{Ns: ns, Lock: record.LockExclusive, AtUs: uint32(ns / 1000), Parts: parts}
	}
	waited := uint64(0)
	for _, r := range []export.Row{
		write(1_000_000, "a", record.LockExclusive),
		write(1_002_000, "s", record.LockShared, wait(8000, part(observe.CauseHeld, "a", record.LockExclusive, 8000))),
		write(1_012_000, "b", record.LockExclusive, wait(9000, part(observe.CauseHeld, "s", record.LockShared, 6000, "s", "s2"), part(observe.CauseUnknown, "", 0, 3000))),
		write(1_012_000, "s", record.LockShared, wait(2000, part(observe.CauseQueued, "b", record.LockExclusive, 2000)), wait(500)),
	} {
		p.Add(&r)
		waited += r.WaitNs.V
	}
	got, sum := "", uint64(0)
	for _, b := range p.blames.List() {
		got += fmt.Sprintf("%s waited %d times %d ns for %q, %s; ", b.Waiter, b.Waits, b.Ns, b.Holder, b.Held())
		sum += b.Ns
	}
	const want = `s waited 1 times 8000 ns for "a", exclusive; b waited 1 times 6000 ns for "s, s2", shared; ` +
		`b waited 1 times 3000 ns for "", ; s waited 1 times 2000 ns for "b", queued exclusive; s waited 1 times 500 ns for "", ; `
	if got != want || sum != waited {
		t.Errorf("%s\nwant %s\nwaited %d, blamed %d", got, want, waited, sum)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram.Times
	for _, ns := range []uint64{0, 0, 1, 1000, 1023, 1024, 5000} {
		h.Add(ns)
	}
	for q, want := range map[float64]uint64{0: 0, 0.2: 0, 0.3: 1, 0.5: 1023, 0.75: 2047, 0.9: 5000, 1: 5000} {
		if got := quantile(&h, q); got != want {
			t.Errorf("quantile %v is %d, not %d", q, got, want)
		}
	}
	m := magnitudes(h.Magnitudes())
	if first, last := m.span(); first != 1 || last != 13 {
		t.Errorf("bins %d to %d", first, last)
	}
}

// TestTimeline: bins double, and no write is forgotten.
func TestTimeline(t *testing.T) {
	p := &Report{}
	for i := range 1000 {
		r := write(1e9+uint64(i)*7_000_000, "a", record.LockShared)
		if i >= 500 {
			r.Lock = export.Some(export.Exclusive)
		}
		p.Add(&r)
	}
	l := p.timeline.most(1)[0]
	var sum bin
	for i, b := range l.bins {
		for k := range b {
			sum[k] += b[k]
		}
		if b[1] > 0 && uint64(i)*p.timeline.width > 500*7_000_000 || b[2] > 0 && uint64(i+1)*p.timeline.width < 500*7_000_000 {
			t.Errorf("bin %d has %v", i, b)
		}
	}
	if sum != (bin{0, 500, 500}) || p.timeline.width != 64e6 {
		t.Errorf("%v, bins of %d ns", sum, p.timeline.width)
	}
	text, _ := texts(t, p)
	if !strings.Contains(text, "|"+strings.Repeat(".", 19)+"+") || !strings.Contains(text, strings.Repeat("x", 19)+"|") {
		t.Errorf("%s", text)
	}
}

// TestRedact: the same name has the same token, and no name is left.
func TestRedact(t *testing.T) {
	d := redact.New()
	names := d.Names(exporttest.Paths{})
	m := export.Maker{Names: exporttest.Paths{}}
	p := &Report{Redacted: true, Names: names}
	var first export.Row
	for i, s := range exporttest.Samples() {
		var r export.Row
		m.Fill(&r, s.Obs, s.Ver)
		d.Row(&r)
		if i == 0 {
			first = r.Clone()
		}
		p.Add(&r)
	}
	if !strings.HasPrefix(first.Comm, "task-") || first.Path != names.Path(record.NameID{FileID: first.File()}) || !strings.HasPrefix(first.Path, "/n-") {
		t.Errorf("%q %q", first.Comm, first.Path)
	}
	text, html := texts(t, p)
	for _, name := range []string{"fio", "mysqld", "redo.log", "table.ibd", "iou-wrk", "evil", "日本語"} {
		if strings.Contains(text, name) || strings.Contains(html, name) {
			t.Errorf("%s is left", name)
		}
	}
	if !strings.Contains(text, "replaced by tokens") || !strings.Contains(html, "replaced by tokens") {
		t.Error("it is not said")
	}
}

// TestBounds: a great many writes, files and disagreements take a bounded room.
func TestBounds(t *testing.T) {
	p := &Report{}
	r := exporttest.Rows()[5]
	for i := range 20000 {
		r.Ino, r.TimeNs = uint64(i), r.TimeNs+1000
		r.Reason = fmt.Sprint("reason ", i)
		p.Add(&r)
	}
	if len(p.timeline.lanes) > maxLanes || p.Kinds() != 64 || len(p.cases.lines) > maxLines {
		t.Error("too much is kept")
	}
	text, _ := texts(t, p)
	for _, want := range []string{"19936 disagreements of further kinds", "19000 further disagreements"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said", want)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	p := &Report{}
	rows := exporttest.Rows()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Add(&rows[i%5])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
