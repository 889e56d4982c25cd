package bench

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// letter are the IOPS of the cover letter: by test and kernel, for 1 to 32 jobs; and
// the wall times at 32 jobs, in seconds, of the first and the last.
var letter = map[string]struct {
	iops   [3][6]float64
	wall   [2]float64
	writes int
}{
	"test1": {[3][6]float64{
		{42322, 68516, 62489, 58701, 58569, 60860},
		{43329, 70677, 97072, 110819, 116392, 117244},
		{43087, 66958, 101468, 113679, 115272, 119621},
	}, [2]float64{69.24, 35.36}, 131072},
	"test2": {[3][6]float64{
		{15547, 15910, 15014, 15022, 14586, 14047},
		{15975, 14808, 14828, 14648, 14262, 13809},
		{17381, 34172, 57567, 81947, 99126, 92519},
	}, [2]float64{149.3, 22.7}, 65536},
}

// coverLetter is the comparison that the cover letter shows.
func coverLetter(t *testing.T) Comparison {
	t.Helper()
	var c Comparison
	for i, name := range []string{"base", "+patch 3", "+patch 3+4"} {
		var reports []*Report
		for _, test := range Tests() {
			l := letter[test.Name]
			r := &Report{Test: test.Name, Kernel: "kernel " + name, Dir: "/mnt", BlockSize: 4096, WritesPerJob: l.writes}
			for k, jobs := range DefaultJobs() {
				m := Measure{Writes: int64(l.writes * jobs), IOPS: l.iops[i][k], Rounds: 1}
				m.WallNs = int64(float64(m.Writes) / m.IOPS * 1e9)
				if jobs == 32 && i != 1 {
					m.WallNs = int64(l.wall[i/2] * 1e9)
				}
				r.Steps = append(r.Steps, Step{Jobs: jobs, Measure: m})
			}
			reports = append(reports, r)
		}
		x, err := NewColumn(name, reports)
		if err != nil {
			t.Fatal(err)
		}
		c = append(c, x)
	}
	return c
}

func write(t *testing.T, c Comparison, format string) string {
	t.Helper()
	var b strings.Builder
	if err := c.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The numbers of the cover letter give the tables of the cover letter. Only its
// speedup at JOBS=2 of test 1 differs: it says 1.03x, which is that of patch 3 alone.
func TestCoverLetter(t *testing.T) {
	c := coverLetter(t)
	for format, file := range map[string]string{"text": "letter.txt", "markdown": "letter.md", "csv": "letter.csv", "svg": "letter.svg"} {
		testkit.Golden(t, file, write(t, c, format))
	}
	text := strings.Join(strings.Fields(write(t, c, "text")), " ")
	for _, want := range []string{
		"JOBS base +patch 3 +patch 3+4 speedup ---- ",
		" 1 42,322 43,329 43,087 1.02x 2 68,516 70,677 66,958 0.98x 4 62,489 97,072 101,468 1.62x 8 58,701 110,819 113,679 1.94x " +
			"16 58,569 116,392 115,272 1.97x 32 60,860 117,244 119,621 1.97x Wall time at JOBS=32: 69.2s (base) -> 35.4s (+patch 3+4), 1.96x faster.",
		" 1 15,547 15,975 17,381 1.12x 2 15,910 14,808 34,172 2.15x 4 15,014 14,828 57,567 3.83x 8 15,022 14,648 81,947 5.46x " +
			"16 14,586 14,262 99,126 6.80x 32 14,047 13,809 92,519 6.59x Wall time at JOBS=32: 149.3s (base) -> 22.7s (+patch 3+4), 6.58x faster.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not in the text: %s\n%s", want, text)
		}
	}
}

// odd are reports that do not match: steps that only one has, no report of a test,
// traces with losses and wrong bytes, names and kernels with all kinds of characters.
func odd(t *testing.T) Comparison {
	t.Helper()
	traced := func(iops float64, l Locks) *Traced {
		return &Traced{Measure: Measure{Writes: 100, WallNs: 1e9, IOPS: iops}, Locks: l}
	}
	a, err := NewColumn("a|<b>&\"c\"\x1b[31m", []*Report{
		{Test: "test1", Kernel: "7.2 \x1b]0;x", Dir: "/mnt", BlockSize: 4096, ForNs: 3e9, Steps: []Step{
			{Jobs: 1, Measure: Measure{Writes: 3, WallNs: 1e9, IOPS: 3}, Traced: traced(2, Locks{Seen: 100, Exclusive: 100, WaitNs: 100 * 14.8e6, Losses: "none lost"})},
			{Jobs: 4, Measure: Measure{Writes: 3, WallNs: 1e9, IOPS: 3, CheckedBytes: 10, WrongBytes: 2, FirstWrong: "byte 7 is 0x00 and has to be 0x01"}},
		}},
		{Test: "test2", Kernel: "7.2", Dir: "/mnt", BlockSize: 4096, ForNs: 3e9, Steps: []Step{{Jobs: 2, Measure: Measure{Writes: 3e6, WallNs: 1e9, IOPS: 3e6}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewColumn("b", []*Report{{Test: "test1", Kernel: "7.3", Dir: "/dev/sdx", CPUs: 2, BlockSize: 1024, WritesPerJob: 5, Steps: []Step{
		{Jobs: 8, Measure: Measure{Writes: 40, WallNs: 2e9, IOPS: 20}, Traced: traced(19, Locks{Seen: 90, Shared: 89, Exclusive: 1, WaitNs: 90 * 1500, Lost: 10, Incomplete: 1, Disagree: 2, Unproven: true, Losses: "10 writes: ring buffer full (try --ring)"})},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return Comparison{a, b}
}

func TestOddComparison(t *testing.T) {
	c := odd(t)
	for format, file := range map[string]string{"text": "odd.txt", "markdown": "odd.md", "csv": "odd.csv", "svg": "odd.svg"} {
		got := write(t, c, format)
		testkit.Golden(t, file, got)
		if strings.ContainsAny(got, "\x1b\x00") {
			t.Errorf("%s holds control characters: %q", format, got)
		}
	}
	if rows, err := csv.NewReader(strings.NewReader(write(t, c, "csv"))).ReadAll(); err != nil || len(rows) != 5 {
		t.Errorf("%d rows of CSV, %v, want 4 and the head", len(rows), err)
	}
}

// A picture is XML, refers to nothing outside, and each line of it has a dash, a mark
// and a stroke of its own.
func TestPictureStandsAlone(t *testing.T) {
	for name, c := range map[string]Comparison{"letter": coverLetter(t), "odd": odd(t), "many": append(coverLetter(t), odd(t)...)} {
		svg := write(t, c, "svg")
		for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, bad := range []string{"href", "url(", "<image", "<script", "<style", "NaN", "Inf"} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
	}
	seen := make(map[string]bool)
	for i := range strokes {
		for _, sign := range []string{"s" + strokes[i], "d" + dashes[i], strings.ReplaceAll(mark(i, 0, 0), strokes[i], "")} {
			if seen[sign] {
				t.Errorf("line %d has the sign %s of another", i, sign)
			}
			seen[sign] = true
		}
	}
}

// A step that was not measured leaves a gap in its line, and nothing compares wall
// times where the steps were limited by time.
func TestGaps(t *testing.T) {
	c := coverLetter(t)
	r := c[0].reports["test1"]
	r.Steps = append(r.Steps[:2:2], r.Steps[3:]...)
	r.WritesPerJob, r.ForNs = 0, 3e9
	svg := write(t, c, "svg")
	_, path, _ := strings.Cut(svg, `d="M117.5 `)
	path, _, _ = strings.Cut(path, `"`)
	if strings.Count(path, "M") != 1 || strings.Count(path, "L") != 3 {
		t.Errorf("the line is %q", path)
	}
	if walls := c.walls("test1"); walls != nil {
		t.Errorf("wall times are compared: %v", walls)
	}
	if walls := c.walls("test2"); len(walls) != 1 {
		t.Errorf("wall times are not compared: %v", walls)
	}
}

func TestNiceStep(t *testing.T) {
	for most, want := range map[float64]float64{10: 2, 60: 10, 61: 20, 99126: 20000, 119621: 20000, 3301: 1000, 999: 200, 1000: 200} {
		if got := niceStep(most); got != want {
			t.Errorf("niceStep(%v) = %v, want %v", most, got, want)
		}
	}
}

func TestComparisonCheck(t *testing.T) {
	c := coverLetter(t)
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if err := c[:1].Check(); err == nil {
		t.Error("one report is no comparison")
	}
	if err := (Comparison{c[0], c[1], c[0]}).Check(); err == nil {
		t.Error("two columns of one name")
	}
	if err := c.Write(io.Discard, "pdf"); err == nil {
		t.Error("a format that does not exist")
	}
}

// What was not measured alike is told before the numbers.
func TestNotAlike(t *testing.T) {
	for name, change := range map[string]func(*Report){
		"nothing": func(*Report) {}, "blocks": func(r *Report) { r.BlockSize = 1024 },
		"CPUs": func(r *Report) { r.CPUs = 4 }, "writes": func(r *Report) { r.WritesPerJob++ },
	} {
		c := coverLetter(t)
		change(c[1].reports["test1"])
		text := write(t, c, "text")
		if strings.Contains(text, "NOT ALIKE") != (name != "nothing") {
			t.Errorf("%s differ:\n%s", name, text)
		}
	}
}

// A writer that keeps its CPU busy leaves nothing to gain but the other CPUs; one that
// waits for the disk leaves much.
func TestMostGain(t *testing.T) {
	step := func(jobs int, cpu int64) []Step {
		return []Step{{Jobs: jobs, Measure: Measure{WallNs: 100, CPUNs: cpu}}}
	}
	for _, c := range []struct {
		name string
		r    Report
		want float64 // 0: not known
	}{
		{"busy", Report{CPUs: 2, Steps: step(1, 100)}, 2},
		{"waits", Report{CPUs: 2, Steps: step(1, 5)}, 40},
		{"many CPUs", Report{CPUs: 64, Steps: step(1, 100)}, 64},
		{"only many jobs", Report{CPUs: 2, Steps: step(2, 100)}, 0},
		{"no CPU time", Report{CPUs: 2, Steps: step(1, 0)}, 0},
		{"CPUs not known", Report{Steps: step(1, 100)}, 0},
	} {
		if got, ok := c.r.MostGain(); got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, ok, c.want)
		}
	}
}

func TestReportText(t *testing.T) {
	c := odd(t)
	c[0].reports["test1"].Started = time.Unix(0, 0)
	var b strings.Builder
	for _, r := range []*Report{c[0].reports["test1"], c[1].reports["test1"], coverLetter(t)[0].reports["test2"]} {
		if err := r.Text(&b); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	testkit.Golden(t, "reports.txt", b.String())
}

func TestRead(t *testing.T) {
	const good = `{"test":"test1","steps":[{"jobs":1,"writes":5,"wall_ns":10,"iops":5}]}`
	if r, err := Read(strings.NewReader(good + "\n" + strings.Replace(good, "test1", "test2", 1))); err != nil || len(r) != 2 || r[1].Test != "test2" {
		t.Errorf("%v, %v", r, err)
	}
	for name, text := range map[string]string{
		"empty":                 "",
		"no JSON":               "JOBS IOPS",
		"cut":                   good[:40],
		"other":                 `{"kernel":"7.3"}`,
		"no jobs":               strings.Replace(good, `"jobs":1`, `"jobs":0`, 1),
		"no time":               strings.Replace(good, `"wall_ns":10`, `"wall_ns":0`, 1),
		"negative":              strings.Replace(good, `"iops":5`, `"iops":-5`, 1),
		"less than no CPU time": strings.Replace(good, `"iops"`, `"cpu_ns":-1,"iops"`, 1),
		"step twice":            strings.Replace(good, `"steps":[`, `"steps":[{"jobs":1,"wall_ns":1},`, 1),
	} {
		if r, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read as %v", name, r)
		}
	}
}

func TestWords(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 999.4: "999", 999.5: "1,000", 1234567: "1,234,567", 100000: "100,000"} {
		if got := grouped(x); got != want {
			t.Errorf("grouped(%v) = %s, want %s", x, got, want)
		}
	}
	for ns, want := range map[int64]string{5e6: "0.01s", 9.99e9: "9.99s", 69.24e9: "69.2s"} {
		if got := seconds(ns); got != want {
			t.Errorf("seconds(%d) = %s, want %s", ns, got, want)
		}
	}
	for want, l := range map[string]Locks{
		"-": {}, "0.0%": {Shared: 5}, "100.0%": {Exclusive: 5}, "50.0%": {Shared: 5, Exclusive: 5},
		"<0.1%": {Shared: 100000, Exclusive: 1}, ">99.9%": {Shared: 1, Exclusive: 100000},
	} {
		if got := l.share(); got != want {
			t.Errorf("share of %+v is %s, want %s", l, got, want)
		}
	}
	for want, l := range map[string]Locks{
		"-": {}, "0ns": {Seen: 1}, "1.5us": {Seen: 2, WaitNs: 3000}, "2.0ms": {Seen: 1, WaitNs: 2e6}, "1.50s": {Seen: 2, WaitNs: 3e9},
	} {
		if got := l.wait(); got != want {
			t.Errorf("wait of %+v is %s, want %s", l, got, want)
		}
	}
}

// tracedSeries is what make bench-series measures, with numbers as wide as the cover
// letter's.
func tracedSeries(t *testing.T) Comparison {
	t.Helper()
	c := coverLetter(t)
	for i, name := range []string{"Debian 7.2", "Debian 7.3"} {
		x := coverLetter(t)[2*i]
		x.Name = name
		for _, r := range x.reports {
			r.Kernel = "7.3.4+deb13-amd64 (#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-15))"
		}
		c = append(c, x)
	}
	for _, x := range c {
		for _, r := range x.reports {
			for i := range r.Steps {
				s := &r.Steps[i]
				l := Locks{Seen: uint64(s.Writes), Exclusive: uint64(s.Writes), WaitNs: uint64(s.Writes) * uint64(s.Jobs) * 9_270_000, Losses: "none lost"}
				s.Traced = &Traced{Measure: s.Measure, Locks: l}
			}
		}
	}
	return c
}

// Three kernels fit side by side on a terminal of 80 columns, and five in two parts.
func TestTerminalWidth(t *testing.T) {
	c := tracedSeries(t)
	three := write(t, c[:3], "text")
	testkit.Golden(t, "traced.txt", three)
	if n := strings.Count(three, "JOBS "); n != 4 {
		t.Errorf("three kernels make %d tables, want two for each test:\n%s", n, three)
	}
	all := write(t, c, "text")
	if n := strings.Count(all, "JOBS "); n != 6 {
		t.Errorf("five kernels make %d tables, want three for each test:\n%s", n, all)
	}
	var report strings.Builder
	if err := c[4].reports["test1"].Text(&report); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(three + all + report.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
