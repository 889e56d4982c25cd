package expect

import (
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// row is a shared write of 4096 bytes that waited so long.
func row(seq, wait uint64, changes ...func(*export.Row)) *export.Row {
	r := &export.Row{
		Seq: export.Some(seq), Pos: 4096 * int64(seq), Len: 4096, Path: "/mnt/a.ibd", Comm: "mysqld", Lock: export.Some(export.Shared), Passes: export.Some(1),
		WaitNs: export.Some(wait), LatencyNs: export.Some(2 * wait), Ret: export.Some[int64](4096), Verdict: export.Some(judge.Agree), Reason: "overwrite",
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

func exclusive(r *export.Row) {
	r.Lock, r.Reason = export.Some(export.Exclusive), "zeroing: tail not written"
}
func refused(r *export.Row) {
	r.Lock, r.Refused.Known, r.Ret = export.Some(export.NoLock), true, export.Some[int64](-11)
}
func lockless(r *export.Row) { r.Lock = export.Opt[export.Lock]{} }
func unnamed(r *export.Row)  { r.Path = "" }
func undecided(r *export.Row) {
	r.Verdict, r.Missing = export.Some(judge.Undecided), "lookup missing"
}

// hundred are writes that wait for 1 to 100 us, of which the slowest are changed.
func hundred(last int, changes ...func(*export.Row)) (out []*export.Row) {
	for i := range uint64(100) {
		if i >= uint64(100-last) {
			out = append(out, row(i+1, (i+1)*1000, changes...))
		} else {
			out = append(out, row(i+1, (i+1)*1000))
		}
	}
	return out
}

func results(t *testing.T, text string, rows []*export.Row, whole Whole) []Result {
	t.Helper()
	policies, err := Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatch(policies)
	for _, r := range rows {
		w.Add(r)
	}
	return w.Results(whole)
}

// Each requirement is kept by one recording and broken by another, and says what came out.
func TestRequirements(t *testing.T) {
	second := Whole{Elapsed: time.Second}
	for _, c := range []struct {
		need  string
		rows  []*export.Row
		state State
		value string
	}{
		{"exclusive<2%", hundred(1, exclusive), Kept, "1 %, 1 of 100 writes"},
		{"exclusive<1%", hundred(1, exclusive), Broken, "1 %, 1 of 100 writes"},
		{"exclusive<=1%", hundred(1, exclusive), Kept, "1 %, 1 of 100 writes"},
		{"exclusive=1%", hundred(1, exclusive), Kept, "1 %, 1 of 100 writes"},
		{"exclusive!=1%", hundred(1, exclusive), Broken, "1 %, 1 of 100 writes"},
		{"exclusive=0", hundred(1, exclusive), Broken, "1 of 100 writes"},
		{"exclusive<=1", hundred(1, exclusive), Kept, "1 of 100 writes"},
		{"shared>=99%", hundred(1, exclusive), Kept, "99 %, 99 of 100 writes"},
		{"shared>99%", hundred(1, exclusive), Broken, "99 %, 99 of 100 writes"},
		{"refused<5%", hundred(5, refused), Broken, "5 %, 5 of 100 writes"},
		{"refused<5.0001%", hundred(5, refused), Kept, "5 %, 5 of 100 writes"},
		{"undecided=0", hundred(1, undecided), Broken, "1 of 100 writes"},
		{"undecided=0", hundred(0), Kept, "0 of 100 writes"},
		{"differs=0", hundred(0), Kept, "0 of 100 writes"},
		{"restarted=0", hundred(0), Kept, "0 of 100 writes"},
		{`"zeroing"<1%`, hundred(1, exclusive), Broken, "1 %, 1 of 100 writes"},
		{`"zeroing"<2%`, hundred(1, exclusive), Kept, "1 %, 1 of 100 writes"},
		{"writes(ret=-EAGAIN)=0", hundred(1, refused), Broken, "1 of 100 writes"},
		{"writes>=100", hundred(0), Kept, "100 writes"},
		{"writes>100", hundred(0), Broken, "100 writes"},
		{"rate>=100/s", hundred(0), Kept, "100/s"},
		{"rate>100", hundred(0), Broken, "100/s"},
		{"p50(wait)<=50us", hundred(0), Kept, "50.0us"},
		{"p50(wait)<50us", hundred(0), Broken, "50.0us"},
		{"p50(wait)<50001ns", hundred(0), Kept, "about 50.0us"},
		{"p50(wait)<49us", hundred(0), Broken, "about 57.3us"},
		{"p50(wait)=50us", hundred(0), Kept, "50.0us"},
		{"p99(wait)<99us", hundred(0), Broken, "99.0us"},
		{"p99(wait)<100us", hundred(0), Kept, "about 100us"},
		{"p99(wait)>98us", hundred(0), Kept, "about 100us"},
		{"p99(wait)>99us", hundred(0), Broken, "99.0us"},
		{"p99.5(wait)>99us", hundred(0), Kept, "about 100us"},
		{"max(wait)<=100us", hundred(0), Kept, "100us"},
		{"max(wait)<100us", hundred(0), Broken, "100us"},
		{"max(latency)<=100us", hundred(0), Broken, "200us"},
		{"mean(wait)<=50500ns", hundred(0), Kept, "50.5us"},
		{"mean(wait)<50500ns", hundred(0), Broken, "50.5us"},
	} {
		if r := results(t, c.need, c.rows, second)[0]; r.State != c.state || r.Value != c.value {
			t.Errorf("%s: %s, %q; want %s, %q", c.need, r.State, r.Value, c.state, c.value)
		}
	}
}

// What is not known may keep a requirement or break it: it is neither, but where it does not
// matter. Nothing that was seen is never all that is well.
func TestUnproven(t *testing.T) {
	lost := Whole{Missing: "writes are lost: 7", Elapsed: time.Second}
	all := Whole{Elapsed: time.Second}
	unlatent := func(r *export.Row) { r.LatencyNs.Known = false }
	for _, c := range []struct {
		text  string
		rows  []*export.Row
		whole Whole
		state State
		why   string
	}{
		{"exclusive<1%", nil, all, Unproven, "no write was seen at all"},
		{"writes=0", nil, all, Unproven, "no write was seen at all"},
		{"path~nowhere: exclusive<1%", hundred(0), all, Unproven, "none of the writes that were seen is meant"},
		{"path~nowhere: undecided=0", hundred(0), all, Unproven, "none of the writes that were seen is meant"},
		{"path~nowhere: p99(wait)<1s", hundred(0), all, Unproven, "none of the writes that were seen is meant"},
		{"path~nowhere: rate<5", hundred(0), all, Unproven, "none of the writes that were seen is meant"},
		{"path~nowhere: rate>5", hundred(0), all, Broken, ""},
		{"path~nowhere: writes=0", hundred(0), all, Kept, ""}, // which is what it asks for
		{"path~nowhere: writes>0", hundred(0), all, Broken, ""},
		{"exclusive<1%", hundred(1, lockless), all, Unproven, "it is not known of 1 write"},
		{"exclusive<2%", hundred(1, lockless), all, Kept, ""},
		{"shared>99%", hundred(1, lockless), all, Unproven, "it is not known of 1 write"},
		{"shared<=98%", hundred(1, lockless), all, Broken, ""},
		{"exclusive=0%", hundred(100, lockless), all, Unproven, "it is not known of any of the writes"},
		{`"zeroing"=0`, hundred(1, undecided), all, Unproven, "it is not known of 1 write"},
		{"p50(latency)<=100us", hundred(1, unlatent), all, Kept, ""},
		{"p99(latency)<=198us", hundred(1, unlatent), all, Kept, ""},
		{"p99.5(latency)<1s", hundred(1, unlatent), all, Unproven, "it is not known of 1 write"},
		{"p99.5(latency)>=198us", hundred(1, unlatent), all, Kept, ""},
		{"max(latency)<1s", hundred(1, unlatent), all, Unproven, "it is not known of 1 write"},
		{"max(latency)<198us", hundred(1, unlatent), all, Broken, ""},
		{"mean(latency)<1s", hundred(1, unlatent), all, Unproven, "it is not known of 1 write"},
		{"mean(latency)<1us", hundred(1, unlatent), all, Unproven, "it is not known of 1 write"},
		{"p99(budget.device)<1s", hundred(0), all, Unproven, "it is not known of any of the writes"},
		{"rate>5", hundred(0), Whole{}, Unproven, "it is not known how long it took"},
		{"exclusive<1%", hundred(0), lost, Unproven, "writes are lost: 7"},
		{"exclusive<1%", hundred(1, exclusive), lost, Broken, ""},
		{"path~ibd: exclusive<1%", hundred(1, unnamed), all, Unproven, "of 1 more write it is not known whether they are meant"},
		{"path~ibd nowait: writes=0", hundred(1, unnamed), all, Kept, ""}, // that it is not nowait is known
	} {
		r := results(t, c.text, c.rows, c.whole)[0]
		why := ""
		if r.Why != nil {
			why = *r.Why
		}
		if r.State != c.state || why != c.why {
			t.Errorf("%s: %s, %q; want %s, %q", c.text, r.State, why, c.state, c.why)
		}
	}
}

// A write that is still inside the kernel is no write yet.
func TestInside(t *testing.T) {
	inside := row(1, 1, func(r *export.Row) { r.Inside = export.Some(record.InsideStage(1)) })
	if r := results(t, "exclusive<1%", []*export.Row{inside}, Whole{})[0]; r.State != Unproven {
		t.Errorf("%+v", r)
	}
}

// The writes that break a requirement are named by their numbers: those that are counted, or
// those that are not, and of times those beyond the limit.
func TestOffences(t *testing.T) {
	for text, want := range map[string]string{
		"exclusive<1%":    "8: [97 98 99 100]",
		"shared>99%":      "8: [97 98 99 100]",
		"exclusive=0":     "8: [97 98 99 100]",
		"shared=100%":     "8: [97 98 99 100]",
		"p90(wait)<90us":  "8: [90 91 92 93 94]",
		"max(wait)<=98us": "8: [99 100]",
		"p10(wait)>50us":  "8: [1 2 3 4 5]",
		"writes>1000":     "8: []",
	} {
		r := results(t, text, hundred(4, exclusive), Whole{})[0]
		var seqs []string
		for _, o := range r.Offences {
			seqs = append(seqs, export.Amount(float64(*o.Seq)))
		}
		if got := "8: [" + strings.Join(seqs, " ") + "]"; got != want || r.State != Broken {
			t.Errorf("%s: %s %s, want %s", text, r.State, got, want)
		}
	}
}

// As text, what is broken comes first, with the writes that break it.
func TestText(t *testing.T) {
	policies, err := Parse("p.txt", "path~ibd: shared>1%, exclusive<1%, p99(latency)<1us\npath~log: undecided=0\n")
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatch(policies)
	for _, r := range hundred(1, exclusive) {
		w.Add(r)
	}
	var b strings.Builder
	if err := WriteText(&b, w.Results(Whole{})[:2]); err != nil {
		t.Fatal(err)
	}
	if err := WriteText(&b, w.Results(Whole{})[3:]); err != nil {
		t.Fatal(err)
	}
	const want = `expected: 1 broken, 0 unproven, 1 kept
BROKEN:   exclusive<1% is 1 %, 1 of 100 writes (path~ibd, p.txt:1)
          write 100, 409600+4096 to /mnt/a.ibd by mysqld: exclusive, zeroing: tail not written
          (1 of 1; explain --trace FILE --seq NUMBER tells more)
kept:     shared>1% is 99 %, 99 of 100 writes (path~ibd, p.txt:1)
expected: 0 broken, 1 unproven, 0 kept
UNPROVEN: undecided=0; none of the writes that were seen is meant (path~log, p.txt:2)
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

// What breaks while writes come is told once, and not before one write could not do it alone.
func TestNews(t *testing.T) {
	policies, err := Parse("", "exclusive<1%, p90(wait)<1us, undecided=0, writes>1000, rate>9, mean(wait)<1ns, max(wait)<=90us")
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatch(policies)
	w.Add(row(1000, 5, exclusive, undecided))
	told := ""
	for i, r := range append([]*export.Row{row(1000, 5, exclusive, undecided)}, hundred(0)...) {
		if i > 0 {
			w.Add(r)
		}
		for _, n := range w.News() {
			told += export.Plural(uint64(i+1), "write") + ": " + n.Requirement + "; "
		}
	}
	if want := "1 write: undecided=0; 10 writes: p90(wait)<1us; 92 writes: max(wait)<=90us; 100 writes: exclusive<1%; "; told != want {
		t.Errorf("got  %s\nwant %s", told, want)
	}
	w.Anew()
	if w.seen != 0 || len(w.policies[0].needs) != 7 || w.policies[0].needs[0].n != 0 {
		t.Errorf("%+v", w.policies[0])
	}
}

func BenchmarkAdd(b *testing.B) {
	policies, err := Parse("", `path~"\.ibd$": exclusive<1%, p99(wait)<1ms, refused<5%, undecided=0`)
	if err != nil {
		b.Fatal(err)
	}
	w, r := NewWatch(policies), row(1, 1000)
	b.ReportAllocs()
	for b.Loop() {
		w.Add(r)
	}
}
