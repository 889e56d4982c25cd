package main

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

const expectPage = "../../docs/expect.md"

// TestPagesExpect: what docs/expect.md shows of check is what it prints, and its file of
// policies is one.
func TestPagesExpect(t *testing.T) {
	const prompt = "    $ " + progName + " check "
	page := readFile(t, expectPage)
	t.Chdir("../..")
	blocks := strings.Split(page, prompt)[1:]
	for _, block := range blocks {
		command, rest, _ := strings.Cut(block, "\n")
		shown, _, _ := strings.Cut(rest, "\n\n")
		var f checkFlags
		fl := pflag.NewFlagSet("check", pflag.ContinueOnError)
		f.expectFlag.register(fl)
		if err := fl.Parse(shellWords(command)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		f.variant = "auto"
		if err := f.run(t.Context(), &out, fl.Args()); err == nil || asExit(err).Code != exit.Disagree {
			t.Errorf("check %s: %v", command, err)
		}
		_, got, _ := strings.Cut(out.String(), "\n")
		got, _, _ = strings.Cut(got, "\nadvice: ") // comes next, if there is any
		got, _, _ = strings.Cut(got, "\nwrites: ")
		if want := strings.TrimRight(strings.ReplaceAll("\n"+shown, "\n    ", "\n")[1:], "\n"); got != want {
			t.Errorf("check %s prints\n%s\nthe page shows\n%s", command, got, want)
		}
	}
	if len(blocks) == 0 {
		t.Error("the page shows no check")
	}
	_, file, _ := strings.Cut(page, "```text\n")
	file, _, _ = strings.Cut(file, "```")
	if all, err := expect.Parse("policies.txt", file); err != nil || len(all) != 4 {
		t.Errorf("the file on the page: %d policies, %v", len(all), err)
	}
}

// TestExpectFields: docs/expect.md has the fields of the JSON.
func TestExpectFields(t *testing.T) {
	fieldTables(t, expectPage, map[string]any{"| field | what it is |": expect.Result{}, "| write | what it is |": expect.Offence{}})
}

// fieldTables compares the tables of a page, each by its heading, with what the fields of a struct
// say of themselves.
func fieldTables(t *testing.T, page string, tables map[string]any) {
	t.Helper()
	for heading, of := range tables {
		var b strings.Builder
		b.WriteString("| --- | --- |\n")
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			fmt.Fprintf(&b, "| `%s` | %s |\n", f.Tag.Get("json"), f.Tag.Get("doc"))
			if f.Tag.Get("doc") == "" {
				t.Errorf("%s says nothing of itself", f.Name)
			}
		}
		testkit.Section(t, page, heading, b.String())
	}
}

// live says when a policy is broken first, each once, and at the end what came of all; the
// status is that of check.
func TestLiveExpects(t *testing.T) {
	third := func(i int, w *record.Write) {
		if i%3 == 2 {
			w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive
		}
	}
	lost := record.Losses{Counters: record.Counters{Seen: 307, LostRing: 7}}
	for _, c := range []struct {
		name   string
		source tracetest.Source
		policy string
		want   int
		first  string // what is told while writes come
		last   string
	}{
		{"kept", tracetest.Source{N: 300}, "exclusive<1%", 0, "", "kept:     exclusive<1% is 0 %, 0 of 300 writes"},
		{"unproven", tracetest.Source{N: 300}, "comm~nobody: exclusive<1%", exit.Unproven, "", "UNPROVEN: exclusive<1%; none of the writes that were seen is meant (comm~nobody)"},
		{"lost", tracetest.Source{N: 300, Lost: lost}, "exclusive<1%", exit.Unproven, "", "UNPROVEN: exclusive<1% is 0 %, 0 of 300 writes; writes are lost: "},
		{"broken", tracetest.Source{N: 300, Change: third}, "exclusive<1%", exit.Disagree, "policy BROKEN: exclusive<1% is ", "BROKEN:   exclusive<1% is 33.3 %, 100 of 300 writes"},
		{"broken and lost", tracetest.Source{N: 300, Change: third, Lost: lost}, "exclusive=0", exit.Disagree, "policy BROKEN: exclusive=0 is ", "BROKEN:   exclusive=0 is 100 of 300 writes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			o := &liveOptions{json: true, variant: "linux-7.3"}
			o.expect = []string{c.policy}
			var err error
			if o.expected, err = o.policies(); err != nil {
				t.Fatal(err)
			}
			tr := newTestTrace(t, o, &bytes.Buffer{})
			tr.stderr = &said
			tr.watched(func(text string) { note(tr.stderr, "%s", text) })
			status := 0
			if err := tr.finish(play(t, tr, &c.source), nil); err != nil {
				status = asExit(err).Code
			}
			first, last, _ := strings.Cut(said.String(), "expected: ")
			if status != c.want || strings.Contains(first, "policy") != (c.first != "") || strings.Count(first, c.first) != 1 && c.first != "" || !strings.Contains(last, c.last) {
				t.Errorf("status %d, said:\n%s", status, said.String())
			}
		})
	}
}

// A file of policies is found by its name, and one that is not there is no policy.
func TestExpectFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("p.txt", []byte("# none\n*: exclusive<1%\n\nnowait: refused<\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"p.txt":        "p.txt:4:17: a value has to stand here: a share such as 1% or 0.05%, or a number of writes such as 10",
		"q.txt":        "q.txt is neither a file nor a policy",
		".":            "cannot read policies: read .: is a directory",
		"exclusive<5x": "--expect: column 11: 5x is not possible; a share such as 1% or 0.05%, or a number of writes such as 10",
		"exclusive<1%, " + strings.Repeat("shared>1%,", 30) + "undecided=0": "",
	} {
		_, err := (&expectFlag{[]string{text}}).policies()
		if (err == nil) != (want == "") || err != nil && (err.Error() != want || asExit(err).Code != exit.Usage) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
