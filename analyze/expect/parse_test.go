package expect

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
)

// What is taken apart: the filter, and each requirement.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		line, meant string
		needs       []string
	}{
		{`path~"\.ibd$": exclusive<1%, p99(wait)<1ms, refused<5%, undecided=0`, `path~"\.ibd$"`, []string{"exclusive<1%", "p99(wait)<1ms", "refused<5%", "undecided=0"}},
		{"exclusive<1%", "", []string{"exclusive<1%"}},
		{"*: exclusive < 1% , shared >= 99.5%", "", []string{"exclusive < 1%", "shared >= 99.5%"}},
		{"dev=8:0 comm~mysqld: restarted=0", "dev=8:0 comm~mysqld", []string{"restarted=0"}},
		{"path=/mnt/a:b: differs==0", "path=/mnt/a:b", []string{"differs==0"}},
		{"lock=shared:max(latency)<=1s", "lock=shared", []string{"max(latency)<=1s"}},
		{`reason~"zeroing: tail": fallback=0`, `reason~"zeroing: tail"`, []string{"fallback=0"}},
		{`"zeroing: tail not written"<5%`, "", []string{`"zeroing: tail not written"<5%`}},
		{`writes>100, writes(dev=8:0 path~"a,b)c")<1%`, "", []string{"writes>100", `writes(dev=8:0 path~"a,b)c")<1%`}},
		{"nowait: P99.9(Latency)<=2.5ms, mean(budget.device)!=0, rate>500/s  # as bought", "nowait", []string{"P99.9(Latency)<=2.5ms", "mean(budget.device)!=0", "rate>500/s"}},
		{"path~a#b: exclusive<1%", "path~a#b", []string{"exclusive<1%"}},
		{"path~it's: exclusive<1%", "path~it's", []string{"exclusive<1%"}},
	} {
		all, err := Parse("x", c.line)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		var needs []string
		for i := range all[0].needs {
			needs = append(needs, all[0].needs[i].text)
		}
		if all[0].meant.text != c.meant || strings.Join(needs, "|") != strings.Join(c.needs, "|") {
			t.Errorf("%s: means %q and asks for %q", c.line, all[0].meant.text, needs)
		}
	}
}

// A file has comments and empty lines, and says in which line a policy is.
func TestParseFile(t *testing.T) {
	all, err := Parse("p.txt", "# what we bought\n\n\t*: exclusive<1%   # all of it\r\npath~ibd: undecided=0\n")
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if a, b := all[0], all[1]; a.Where != "p.txt:3" || a.Text != "*: exclusive<1%" || b.Where != "p.txt:4" || b.Text != "path~ibd: undecided=0" {
		t.Errorf("%+v %+v", a, b)
	}
}

// An error says where it is, to the column, and what is possible.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                               `x:1: no policy is there, such as path~"\.ibd$": exclusive<1%`,
		"# nothing\n":                    `x:1: no policy is there, such as path~"\.ibd$": exclusive<1%`,
		"\n\npath~x: ":                   "x:3:9: a requirement has to stand here, such as exclusive<1% or p99(wait)<1ms",
		": exclusive<1%":                 "x:1:1: a filter has to stand before the colon, or * for all writes",
		"nowait lokc=shared: x<1%":       "x:1:8: no field lokc: did you mean lock=shared?",
		`path~"(\": exclusive<1%`:        "x:1:1: path is a word of filters, and a filter stands before a colon or in writes(…)",
		`path~"\(": exclusive<1%`:        "",
		`path~"(\.": exclusive<1%`:       `x:1:1: path: (\. is no regular expression`,
		"path~x exclusive<1%":            "x:1:1: path is a word of filters, and a filter stands before a colon or in writes(…)",
		"路=x: exclusive<1%":              "x:1:1: no field 路: lock verdict reason file path comm pid tid dev ino pos len wait latency passes ret zero~",
		"path~路: exclusiv<1%":            "x:1:9: nothing is called exclusiv: did you mean exclusive?",
		"exclusive<1%,":                  "x:1:14: a requirement has to stand here, such as exclusive<1% or p99(wait)<1ms",
		"exclusive<1% shared>5%":         "x:1:14: a comma has to part requirements",
		"exclusive":                      "x:1:10: exclusive has to be followed by one of < <= > >= = != and a value",
		"exclusive~5":                    "x:1:10: exclusive has to be followed by one of < <= > >= = != and a value",
		"exclusive<":                     "x:1:11: a value has to stand here: a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<1ms":                  "x:1:11: 1ms is not possible; a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<101%":                 "x:1:11: 101% is not possible; a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<-1":                   "x:1:11: -1 is not possible; a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<0.00001%":             "x:1:11: 0.00001% is not possible; a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<0":                    "x:1:11: nothing is <0: it would always be broken",
		"exclusive>100%":                 "x:1:11: nothing is >100%: it would always be broken",
		"exclusive>=0":                   "x:1:12: everything is >=0: it would never be broken",
		"exclusive<=100%":                "x:1:12: everything is <=100%: it would never be broken",
		"writes<5%":                      "x:1:8: 5% is not possible; a number of writes, such as 10",
		"writes()<5%":                    "x:1:8: a filter has to stand in writes(…), such as writes(ret=-ENOSPC)",
		"writes(lock=or)<5%":             "x:1:8: lock: or is not possible; none, shared, exclusive",
		"writes(nowait<5%":               "x:1:7: this parenthesis is not closed",
		"rate>5ms":                       "x:1:6: 5ms is not possible; writes a second, such as 500/s",
		"wait<1ms":                       "x:1:1: of a time something has to be asked, such as p99(wait), max(wait) or mean(wait)",
		"p99(wait)<1":                    "x:1:11: 1 is not possible; a time, such as 50us or 5ms",
		"p99(wait)<1%":                   "x:1:11: 1% is not possible; a time, such as 50us or 5ms",
		"exclusive<1%, p99(pos)<1ms":     "x:1:19: pos is no time; there are " + strings.Join(rowfilter.Times(), " "),
		"p0(wait)<1ms":                   "x:1:1: p0(…) is not possible: writes(FILTER), max(TIME), mean(TIME), or p50(TIME) to p99.9999(TIME)",
		"p100(wait)<1ms":                 "x:1:1: p100(…) is not possible: writes(FILTER), max(TIME), mean(TIME), or p50(TIME) to p99.9999(TIME)",
		`"zeroing<1%`:                    `x:1:1: "zeroing<1% has no closing quote`,
		strings.Repeat(" ", 4096) + ":":  "x:1:4096: the line is too long for a policy",
		"a\xff: exclusive<1%":            "x:1:1: the line is no text in UTF-8",
		"exclusive<1%\nshared>1%\nfoo<1": "x:3:1: nothing is called foo; there are writes, rate, p99(wait), max(wait), mean(wait), a reason in quotes and the flags of --filter: exclusive, shared, refused, restarted and others",
	} {
		_, err := Parse("x", text)
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := Parse("", "exclusive<1%, foo=2"); err == nil || !strings.HasPrefix(err.Error(), "column 15: nothing is called foo") {
		t.Error(err)
	}
	// A slip in a reason would be kept for ever.
	_, err := Parse("x", `undecided=0, "zeroing: tial"<1%`)
	if err == nil || !strings.HasPrefix(err.Error(), `x:1:14: no reason has "zeroing: tial"; there are "overwrite" "aligned, inside i_size"`) {
		t.Error(err)
	}
}

// Every flag and every time is a measure, and what is called so in a list exists.
func TestWords(t *testing.T) {
	for _, flag := range rowfilter.Flags() {
		if _, err := Parse("x", flag+"<1%"); err != nil {
			t.Error(err)
		}
	}
	if len(rowfilter.Times()) < 10 {
		t.Error(rowfilter.Times())
	}
	for _, time := range rowfilter.Times() {
		if _, err := Parse("x", "p50("+time+")<1ms, max("+time+")<=1s"); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`path~"\.ibd$": exclusive<1%, p99(wait)<1ms, refused<5%, undecided=0`, "*: rate>5/s # x", `writes(a:b ")")<1%`, `"zeroing"=0`, "p99.9999(budget.device)!=1h",
		"dev=8:0: x", "\xff", "a'b: c", `"`, "(((", "))", ":", ",", "#", "max(latency)<9223372036s",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Parse("x", text)
		if err != nil {
			var wrong *Error
			if all != nil || !errors.As(err, &wrong) || wrong.Column < 1 || wrong.Msg == "" {
				t.Fatalf("%q: %v, %v", text, all, err)
			}
			return
		}
		for _, p := range all {
			again, err := Parse("x", p.Text)
			if err != nil || len(again) != 1 || len(again[0].needs) != len(p.needs) {
				t.Fatalf("%q: %q: %v", text, p.Text, err)
			}
		}
		w := NewWatch(all)
		w.Add(&export.Row{})
		w.News()
		for _, r := range w.Results(Whole{}) {
			if line := r.Line(); strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q: %q", text, line)
			}
		}
	})
}
