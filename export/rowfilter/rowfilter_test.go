package rowfilter

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

// zeroing is a write of which all is known.
func zeroing() *export.Row {
	return &export.Row{
		Pid: 1201, Tid: 1203, Comm: "mysqld", Dev: 8 << 20, Ino: 14, Path: "/mnt/db/Table.ibd",
		Pos: 1<<20 + 512, Len: 64 << 10, KiFlags: export.KiFlag("NOWAIT") | 1<<17, Unaligned: export.Some(true), Extending: export.Some(false),
		Lock: export.Some(export.Exclusive), Passes: export.Some(2), Zeroed: []observe.Zeroed{{Pos: 1 << 20, Len: 512}}, ListsKnown: true,
		Drained: export.Some(true), ForceWait: export.Some(true), FallbackBytes: export.Some[int64](0), Ret: export.Some[int64](-11),
		WaitNs: export.Some[uint64](7_000_000), Waits: []observe.Wait{{Ns: 7_000_000, Parts: []observe.Part{
			{Actor: observe.Actor{Op: "fallocate:punch-hole", Comm: "fstrim", Pid: 77}, Ns: 5_000_000},
			{Actor: observe.Actor{Op: "direct-read", Comm: "backup", Pid: 9}, With: []observe.Actor{{Op: "seek", Comm: "cp", Pid: 10}}, Others: 1, Ns: 2_000_000},
		}}}, LatencyNs: export.Some[uint64](1_200_000_000), Slept: export.Some(true),
		Variant: "linux-7.2", Verdict: export.Some(judge.Unsafe), Rules: []string{"R1", "R4"}, Hazards: []string{"R12"},
		Reason: "zeroing", Why: []string{"zeroing", "R1 is broken"}, Stages: record.StageReturn, Caller: record.CallerIOUring,
	}
}

func TestMatch(t *testing.T) {
	for _, line := range []string{
		"", "lock=exclusive", "lock!=shared", "LOCK=Exclusive", "verdict!=agree", "verdict=unsafe", "verdict=disagree", "pos>1m", "pos>=1049088",
		"pos<1g", "comm~mysqld", "comm~SQL", "comm!~fio", "comm=mysqld", "comm=my*", "comm=m?sqld", "comm!=fio*", `comm="mysqld"`, `comm!="my*"`,
		"reason~zeroing", "reason=zero*", "dev=8:0", "dev!=8:1", "ino=14", "ino<15", "pid=1201", "tid=1203", "len>=64k", "len<=64K", "len=65536", "wait>5ms",
		"wait<=7ms", "wait!=0", "latency>1s", "latency<1s300ms", "passes>1", "passes=2", "ret<0", "ret=-EAGAIN", "ret=-eagain", "ret=EAGAIN",
		"ret!=-EIO", "ret=-11", "ret>-1k", "zeroed=512", "fallback=0", "file~ibd", "file=Table.ibd", "path=/mnt/*.ibd", "path~/db/", "rule=R1",
		"rule=r4", "rule!=R2", "hazard=R12", "hazard!=R1", "caller=io_uring", "variant=linux-7.2", "nowait", "!dsync", "!append",
		"unaligned", "!extending", "drained", "restarted", "!incomplete", "!truncated", "!queued", "!async", "zeroed", "!fallback", "failed",
		"forcewait", "slept", "exclusive", "!shared", "disagree", "unsafe", "!agree", "!slower", "!differs", "!undecided", "zeroing", "mysql",
		"TABLE", "/db/", "!fio", `"table.IBD"`, `!"x y"`, `comm~'SQL'`, " lock=exclusive\tpos>1m  nowait ", "lock==exclusive", "path=*",
		"holder~fallocate", "holder=fallocate*", "holder=direct-read", "holder=seek", "holder!=write", "holder!~truncate", "holderpid=10", "holderpid!=8", "holderpid>70",
		"holdercomm~FSTR", "holdercomm!=fio",
	} {
		f, err := Parse(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if !f.Match(zeroing()) {
			t.Errorf("%s: no match", line)
		}
		again, err := Parse(f.String())
		if err != nil || again.String() != f.String() || !again.Match(zeroing()) {
			t.Errorf("%s: its form %q is another filter: %v", line, f.String(), err)
		}
	}
}

func TestNoMatch(t *testing.T) {
	for _, line := range []string{
		"lock=shared", "lock!=exclusive", "verdict=agree", "verdict!=disagree", "verdict=slower", "pos>2m", "pos<=1m", "pos=0", "pos!=1049088", "comm=mysql", "comm=MYSQLD",
		"comm!~sql", "comm=fio*", `comm="my*"`, "dev=8:1", "ino!=14", "len>64k", "len<64k", "wait>7ms", "latency<=1s", "passes=1", "ret>=0",
		"ret=-EIO", "rule=R2", "rule!=R1", "hazard=R1", "dsync", "!nowait", "!unaligned", "extending", "fallback", "incomplete", "queued", "shared",
		"!disagree", "fio", "!mysqld", "!table", "nowait lock=shared", "lock=exclusive fio", `"lock=exclusive"`, `"nowait"`, "path=/mnt/?",
		"file=table.ibd", "file~/db/", "caller=sync", "!zeroing", "!failed",
		"holder=fallocate", "holder!=seek", "holder!~fallocate", "holder~write", "holderpid=8", "holderpid!=10", "holdercomm=fstri", "holdercomm!~cp",
	} {
		f, err := Parse(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if f.Match(zeroing()) {
			t.Errorf("%s: matches", line)
		}
	}
}

// TestHolders: of a write that did not wait it is known that nobody was the holder; where one
// is not known, it may be anybody.
func TestHolders(t *testing.T) {
	free := &export.Row{WaitNs: export.Some[uint64](0)}
	waited := func(parts ...observe.Part) *export.Row {
		return &export.Row{WaitNs: export.Some[uint64](5), Waits: []observe.Wait{{Ns: 5, Parts: parts}}}
	}
	read := observe.Part{Actor: observe.Actor{Op: "direct-read"}}
	many := read
	many.Others = 9
	for _, c := range []struct {
		line string
		row  *export.Row
		want bool
	}{
		{"holder!=truncate", free, true}, {"holder=truncate", free, false}, {"holder!=truncate", &export.Row{}, false},
		{"holder!=truncate", waited(read), true}, {"holder!=truncate", waited(read, observe.Part{}), false}, {"holder=direct-read", waited(observe.Part{}, read), true},
		{"holder!=truncate", waited(many), false}, {"holder!=truncate", waited(), false}, {"holderpid!=3", waited(observe.Part{}), false},
	} {
		f, err := Parse(c.line)
		if err != nil || f.Match(c.row) != c.want {
			t.Errorf("%s of %+v: %v, want %v", c.line, c.row.Waits, !c.want, c.want)
		}
	}
}

// TestDocumentedHolders: what docs/json.md says that holders can be filtered by is possible.
func TestDocumentedHolders(t *testing.T) {
	found := 0
	for _, f := range export.Fields.About() {
		if f.Name != "waits" {
			continue
		}
		holders := slices.IndexFunc(f.Kids, func(k *schema.About) bool { return k.Name == "holders" })
		for _, k := range f.Kids[holders].Kids {
			if k.Filter == "" {
				continue
			}
			if found++; fieldNamed(k.Filter) == nil {
				t.Errorf("no field %s", k.Filter)
			}
		}
	}
	if found != len(holderFields) {
		t.Errorf("%d of %d are documented", found, len(holderFields))
	}
}

// TestOrder: no name of the orders is one that there is not.
func TestOrder(t *testing.T) {
	for _, name := range strings.Fields(first) {
		if fieldNamed(name) == nil {
			t.Errorf("no field %s", name)
		}
	}
	if n := len(strings.Fields(first)); n != len(fieldTable) {
		t.Errorf("an order of %d fields, of which there are %d", n, len(fieldTable))
	}
}

// What is not known neither is nor is not.
func TestUnknown(t *testing.T) {
	unknown := &export.Row{Comm: "fio"}
	for _, line := range []string{
		"lock=none", "lock!=shared", "verdict!=agree", "verdict=undecided", "verdict!=disagree", "reason!=x", "reason!~x", "file!=x", "path!~x",
		"path=*", "wait=0", "wait!=1s", "latency<1s", "passes!=1", "passes<2", "ret!=0", "ret>=0", "zeroed=0", "zeroed<1", "fallback=0",
		"rule!=R1", "hazard!=R1", "caller!=sync", "variant!=x", "!unaligned", "!extending", "!drained", "!forcewait", "!restarted", "!slept",
		"!queued", "!shared", "!exclusive", "!agree", "!undecided", "!disagree", "!zeroed", "!fallback", "!failed",
	} {
		f, err := Parse(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if f.Match(unknown) {
			t.Errorf("%s: matches a write of which it is not known", line)
		}
	}
	for _, line := range []string{"fio", "!mysqld", "!incomplete", "!nowait", "comm=fio"} {
		if f, err := Parse(line); err != nil || !f.Match(unknown) {
			t.Errorf("%s: no match, %v", line, err)
		}
	}
	var none *Filter
	if !none.Match(unknown) || !none.Empty() || none.String() != "" {
		t.Error("a nil filter does not let all through")
	}
}

// An incomplete write's reason is words of its own.
func TestIncomplete(t *testing.T) {
	r := &export.Row{Incomplete: "no return"}
	for line, want := range map[string]bool{"incomplete": true, "reason~no": true, `"no return"`: true, "!incomplete": false} {
		if f, err := Parse(line); err != nil || f.Match(r) != want {
			t.Errorf("%s: %v, %v", line, f.Match(r), err)
		}
	}
}

func TestErrors(t *testing.T) {
	for line, want := range map[string]string{
		"lokc=shared":          "no field lokc: did you mean lock=shared?",
		"lat>5ms":              "no field lat: did you mean latency>5ms?",
		"inode=5":              "no field inode: did you mean ino=5?",
		"rules=R1":             "no field rules: did you mean rule=R1?",
		"pso>1m":               "no field pso: did you mean pos>1m?",
		"nowait=1":             "nowait has no value: write nowait or !nowait",
		"/mnt/a=b":             "no field /mnt/a; quote the word to look for it as text",
		"lock=":                "lock= needs a value: none, shared, exclusive",
		"lock=excl":            "lock: excl is not possible; none, shared, exclusive",
		"lock=or":              "lock: or is not possible; none, shared, exclusive",
		"lock~s":               "lock~ is not possible: lock has = !=",
		"comm>a":               "comm> is not possible: comm has = != ~ !~",
		"pos~1":                "pos~ is not possible: pos has = != < <= > >=",
		"wait>5":               "wait: 5 is not possible; a time, such as 50us or 5ms",
		"wait>-5ms":            "wait: -5ms is not possible; a time, such as 50us or 5ms",
		"pos>1x":               "pos: 1x is not possible; bytes, such as 512, 64k or 1m",
		"pos>-1":               "pos: -1 is not possible; bytes, such as 512, 64k or 1m",
		"len>16777216t":        "len: 16777216t is not possible; bytes, such as 512, 64k or 1m",
		"pid=x":                "pid: x is not possible; a number",
		"dev=sda":              "dev: sda is not possible; MAJOR:MINOR, such as 8:0",
		"ret=-EFOO":            "ret: -EFOO is not possible; bytes, or an error such as -EAGAIN",
		"rule=R14":             "rule: R14 is not possible; R1 to R13",
		"rule=R01":             "rule: R01 is not possible; R1 to R13",
		"verdict=wrong":        "verdict: wrong is not possible; undecided, agree, slower, differs, unsafe, disagree",
		"!lock=shared":         "!lock=shared: write lock!=… to mean the contrary",
		"=5":                   "=5: a field has to stand before =; in quotes it is all text",
		"!":                    "!: a flag or text has to follow",
		`comm="a b`:            `"a b has no closing quote`,
		`comm="a"b`:            `a blank has to follow on comm="a"`,
		`"a"=b`:                `"a"=b: a field has to stand before =; in quotes it is all text`,
		"x\x1b[2J=1":           "no field x.[2j; quote the word to look for it as text",
		"color=x":              "no field color: lock verdict reason file path comm pid tid dev ino pos len wait latency passes ret ~",
		"pos>1m nowait wait>x": "wait: x is not possible; a time, such as 50us or 5ms",
	} {
		_, err := Parse(line)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", line, err, want)
		}
	}
}

// Every field and flag can be used, and errors with the values of a field fit.
func TestFields(t *testing.T) {
	for _, f := range fieldTable {
		_, err := Parse(f.name + "=")
		long := f.name == "caller" || f.name == "refusedat" || f.name == "failedat"
		if err == nil || strings.HasSuffix(err.Error(), "~") && !long {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	for name := range flags {
		if _, err := Parse(name); err != nil {
			t.Error(err)
		}
		if f := fieldNamed(name); f != nil && f.kind != bytes {
			t.Errorf("%s is a field and a flag", name)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"?", "", false}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYbZ", false}, {"*.ibd", "/mnt/a/b.ibd", true},
		{"?", "語", true}, {"??", "語", false}, {"[a]", "a", false}, {"[a]", "[a]", true}, {"a**", "a", true}, {"", "", true}, {"", "a", false},
		{"*?", "\xff", true},
	} {
		if glob(c.pattern, c.s) != c.want {
			t.Errorf("glob(%q, %q) is %v", c.pattern, c.s, !c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"lock=exclusive verdict!=agree pos>1m", `comm~"a \" b" !nowait 'x'`, "dev=8:0 ret=-EAGAIN wait>5ms len>=64k", "path=/mnt/*?.ibd", "!", "lokc=1",
		"\xff=\x00", `"`, "日本語~語", "==", "!~x", "rule!=R1 caller=io-wq", "!!=a", "a!b!=c",
		"pAth===", "path===*.ibd",
	} {
		f.Add(s)
	}
	row, none := zeroing(), &export.Row{}
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := Parse(s)
		if err != nil {
			msg := err.Error()
			if filter != nil || msg == "" || utf8.RuneCountInString(msg) > 100 || strings.ContainsFunc(msg, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q: %q", s, msg)
			}
			return
		}
		again, err := Parse(filter.String())
		if err != nil {
			t.Fatalf("%q: its form %q: %v", s, filter.String(), err)
		}
		if again.String() != filter.String() || again.Match(row) != filter.Match(row) || again.Match(none) != filter.Match(none) {
			t.Fatalf("%q: its form %q is another filter", s, filter.String())
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	row := zeroing()
	for _, line := range []string{"lock=exclusive pos>1m", "lock=exclusive verdict!=agree pos>1m comm~mysqld reason~zeroing wait>5ms", "ibdata", "path=*/db/*.ibd"} {
		f, err := Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Match(row)
			}
		})
	}
}

// In quotes, what looks like a regular expression behind ~ is one; all else is plain text.
func TestPatterns(t *testing.T) {
	for line, want := range map[string]bool{
		`path~"\.ibd$"`: true, `path~"\.IBD$"`: true, `path~"^/mnt/.*\.ibd$"`: true, `path~"\.ibd"`: true, `path~"^ibd"`: false,
		`path!~"\.ibd$"`: false, `path~\.ibd$`: false, `path~".ibd"`: true, `path~"a.ibd"`: true, `path~"?.ibd"`: false, `path="\.ibd$"`: false,
		`holder~"^direct-"`: true, `holder~"^read"`: false,
	} {
		f, err := Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r := &export.Row{Path: "/mnt/a.ibd", WaitNs: export.Some[uint64](1), Waits: []observe.Wait{{Parts: []observe.Part{{Actor: observe.Actor{Op: "direct-read"}}}}}}
		if got := f.Match(r); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
		if again, err := Parse(f.String()); err != nil || again.Match(r) != want {
			t.Errorf("%s: its form %s: %v", line, f.String(), err)
		}
	}
	if _, err := Parse(`nowait path~"(\.ibd$"`); err == nil || err.Error() != `path: (\.ibd$ is no regular expression` {
		t.Error(err)
	}
}

// Decide tells what does not match from what is not known, and one word that does not match
// is enough. An error says where its word begins.
func TestDecide(t *testing.T) {
	r := &export.Row{Len: 4096, Verdict: export.Some(judge.Agree)}
	for line, want := range map[string][2]bool{
		"": {true, true}, "len=4k": {true, true}, "len=8k": {false, true}, "lock=shared": {false, false}, "!shared": {false, false},
		"lock=shared len=8k": {false, true}, "lock=shared len=4k": {false, false}, "path~x": {false, false}, "rule=R1": {false, true},
		"agree": {true, true}, "!agree": {false, true}, "wait>5ms": {false, false}, "holder=write": {false, false}, "text": {false, true},
	} {
		f, err := Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if on, known := f.Decide(r); on != want[0] || known != want[1] || f.Match(r) != (on && known) {
			t.Errorf("%q: %v, %v, want %v", line, on, known, want)
		}
	}
	if on, known := (*Filter)(nil).Decide(r); !on || !known {
		t.Error("no filter does not match all")
	}
	var at *Error
	if _, err := Parse("  nowait \t lokc=x"); !errors.As(err, &at) || at.At != 11 {
		t.Errorf("%+v", at)
	}
}
