package cost

import (
	"maps"
	"strings"
	"testing"
)

// A case of a parser: its output so far, and what it tells.
type outputCase struct {
	name, text      string
	attached, first uint64
	lost            uint64
	writes          map[uint64]int
	err             string
}

func (c *outputCase) check(t *testing.T, got *Counts, err error) {
	t.Helper()
	if c.err != "" {
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("error %v, want one with %q", err, c.err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got.Attached != c.attached || got.First != c.first || got.Lost != c.lost || !maps.Equal(got.Writes, c.writes) {
		t.Errorf("%+v, want attached %d, first %d, lost %d, writes %v", *got, c.attached, c.first, c.lost, c.writes)
	}
}

func TestCountDrained(t *testing.T) {
	const attached, first = `{"at":"attached","time_ns":5,"lost":0}` + "\n", `{"at":"first","time_ns":9,"lost":0}` + "\n"
	for _, c := range []outputCase{
		{name: "nothing yet"},
		{name: "attached", text: attached, attached: 5},
		{name: "the first is half there", text: attached + `{"at":"first","time_ns":9`, attached: 5},
		{name: "first", text: attached + first, attached: 5, first: 9},
		{name: "end", text: attached + first + `{"at":"end","writes":{"12":3,"13":1},"lost":2}` + "\n",
			attached: 5, first: 9, lost: 2, writes: map[uint64]int{12: 3, 13: 1}},
		{name: "nothing passed the filter", text: attached + `{"at":"end","lost":0}` + "\n", attached: 5},
		{name: "no JSON", text: "hello\n", err: "read what was drained: "},
		{name: "a step of another version", text: `{"at":"middle"}` + "\n", err: "no such step"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := CountDrained(strings.NewReader(c.text))
			c.check(t, got, err)
		})
	}
}

// The runs until the first record belong to the start, those until attaching where no
// record came.
func TestCountDrainedPrograms(t *testing.T) {
	line := func(at, runs string) string {
		return `{"at":"` + at + `","time_ns":1,"programs":[{"name":"p","runs":` + runs + `,"ns":` + runs + `00}]}` + "\n"
	}
	for text, want := range map[string]uint64{
		line("attached", "1") + line("first", "3") + line("end", "10"): 7,
		line("attached", "1") + line("end", "10"):                      9,
	} {
		got, err := CountDrained(strings.NewReader(text))
		if err != nil || len(got.Programs) != 1 || got.Programs[0].Runs != want || got.Programs[0].Ns != 100*want {
			t.Errorf("%+v, %v, want %d runs of\n%s", got, err, want, text)
		}
	}
}

func TestCountScript(t *testing.T) {
	const w12, w13 = "W 1500 77 77 writer 254:0 12 0 4096\n", "W 1600 77 77 writer 254:0 13 0 4096\n"
	for _, c := range []outputCase{
		{name: "nothing yet", writes: map[uint64]int{}},
		{name: "other lines", text: "Attached 12 probes\nW_TIME PID\n\nL 1 2\n", writes: map[uint64]int{}},
		{name: "writes", text: w12 + w13 + w12, first: 1_500_000, writes: map[uint64]int{12: 2, 13: 1}},
		{name: "the last is half there", text: w12 + w13[:30], first: 1_500_000, writes: map[uint64]int{12: 1}},
		{name: "losses add up", text: "Lost 3 events\n" + w12 + "Lost 40 events\n", first: 1_500_000, lost: 43, writes: map[uint64]int{12: 1}},
		{name: "losses without a number", text: "Lost some events\n", err: "Lost some events"},
		{name: "too short", text: "W 1 2 3\n", err: "too short"},
		{name: "no time", text: strings.Replace(w12, "1500", "soon", 1), err: `"soon"`},
		{name: "no inode", text: strings.Replace(w12, " 12 ", " x ", 1), err: `"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := CountScript(strings.NewReader(c.text))
			c.check(t, got, err)
		})
	}
}

func TestScriptLost(t *testing.T) {
	for said, want := range map[string]uint64{
		"": 0, "WARNING: odd\n": 0, "a\nWARNING: Total lost event count: 4711\nb\n": 4711, "WARNING: Total lost event count: 12": 12,
	} {
		if got := ScriptLost(said); got != want {
			t.Errorf("%q: %d, want %d", said, got, want)
		}
	}
}

// A line that is longer than the buffer is an error, not two lines.
func TestLinesTooLong(t *testing.T) {
	if _, err := CountScript(strings.NewReader(strings.Repeat("x", 2<<20) + "\n")); err == nil {
		t.Error("no error")
	}
}
