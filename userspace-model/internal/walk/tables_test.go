package walk

import (
	"fmt"
	"strings"
	"testing"
)

// world is a blocking 4 KiB-block write into a file of exactly the drawn blocks, with NOSEC set and nothing in the page cache.
func world(pos, n int64, blocks string, change ...func(*Input)) Input {
	size := int64(len(strings.ReplaceAll(blocks, "|", ""))) * 4096
	in := Input{Pos: pos, Len: n, Blkbits: 12, Blocks: blocks, Nosec: true, GuessISize: size, ISize: size, Disksize: size}
	for _, c := range change {
		c(&in)
	}
	return in
}

func onDisk(d int64) func(*Input)  { return func(in *Input) { in.Disksize = d } }
func guessed(s int64) func(*Input) { return func(in *Input) { in.GuessISize = s } }
func memory(m uint32) func(*Input) { return func(in *Input) { in.Mem = m } }
func noNosec(in *Input)            { in.Nosec = false }
func appending(in *Input)          { in.Append = true }
func nowait(in *Input)             { in.Nowait = true }
func async(in *Input)              { in.Async = true }
func indirect(in *Input)           { in.Indirect = true }

// lookups prints the passes' lookups as "(l,n,f) (l,n,f); -".
func lookups(out Outcome) string {
	var passes []string
	for _, p := range out.Lookups {
		s := "-"
		if len(p) > 0 {
			var calls []string
			for _, l := range p {
				calls = append(calls, fmt.Sprintf("(%d,%d,%x)", l.Lblk, l.Len, l.Flags))
			}
			s = strings.Join(calls, " ")
		}
		passes = append(passes, s)
	}
	return strings.Join(passes, "; ")
}

// checks prints the columns guess, passes, mode, drain, FW and lookups of a table row.
func checks(out Outcome) string {
	s := fmt.Sprintf("%s %d %s", out.Guess, out.Passes, out.Mode)
	if out.Drain {
		s += " drain"
	}
	if out.ForceWait {
		s += " FW"
	}
	return s + ": " + lookups(out)
}

// row is one row of the truth tables: what a blocking write does, and where the same write under NOWAIT ends.
type row struct {
	name     string
	variants string
	in       Input
	want     string
	nowait   string
}

const (
	w6  = "linux-6.1"
	ovs = "linux-6.12 linux-7.2 base" // docs/kernel.md#checks-on-612-and-72
	ov3 = ovs + " patch3"             // rows of that table which patch3 has, too
	p3  = "patch3"
	nzs = "patch4 linux-7.3 series-v2" // docs/kernel.md#checks-with-patch-4
)

// rows61 is docs/kernel.md#checks-on-61.
var rows61 = []row{
	{"6.1-a", w6, world(512, 1024, "WWWW"), "EX 1 EX drain FW: -", "N3: -"},
	{"6.1-a hole", w6, world(512, 1024, "HHHH"), "EX 1 EX drain FW: -", "N3: -"},
	{"6.1-a extending", w6, world(16384, 100, "WWWW"), "EX 1 EX drain FW: -", "N3: -"},
	{"6.1-a not nosec", w6, world(512, 1024, "WWWW", noNosec), "EX 1 EX drain FW: -", "N3: -"},
	{"6.1-a memory", w6, world(0, 8192, "WWWW", memory(512)), "EX 1 EX drain FW: -", "N3: -"},
	{"6.1-b", w6, world(16384, 4096, "WWWW"), "EX 1 EX FW: -", "N3: -"},
	{"6.1-b not nosec", w6, world(12288, 8192, "WWWW", noNosec), "EX 1 EX FW: -", "N3: -"},
	{"6.1-c append", w6, world(0, 4096, "WWWW", appending), "SH 2 EX FW: -; -", "N2: -"},
	{"6.1-c truncated", w6, world(16384, 4096, "WWWW", guessed(1<<20)), "SH 2 EX FW: -; -", "N2: -"},
	{"6.1-d", w6, world(8192, 8192, "WWWW", onDisk(12288)), "SH 2 EX FW: -; -", "N2: -"},
	{"6.1-d not nosec", w6, world(8192, 8192, "HHHH", onDisk(12288), noNosec), "SH 2 EX FW: -; -", "N2: -"},
	{"6.1-e", w6, world(0, 4096, "WWWW", noNosec), "SH 2 EX: -; -", "N2: -"},
	{"6.1-f", w6, world(0, 8192, "WWWW"), "SH 1 SH: (0,2,0)", "dio: (0,2,0)"},
	{"6.1-g unwritten", w6, world(0, 8192, "UUWW"), "SH 2 EX: (0,2,0); -", "N2: (0,2,0)"},
	{"6.1-g hole", w6, world(0, 8192, "HHWW"), "SH 2 EX: (0,2,0); -", "N2: (0,2,0)"},
	{"6.1-g delayed", w6, world(0, 8192, "DDWW"), "SH 2 EX: (0,2,0); -", "N2: (0,2,0)"},
	{"6.1-g border", w6, world(4096, 8192, "WW|WW"), "SH 2 EX: (1,2,0); -", "N2: (1,2,0)"},
	{"6.1-h", w6, world(0, 4096, "WWWW", guessed(0)), "EX 1 EX: -", "dio: -"},
	{"6.1-h hole", w6, world(0, 4096, "HHHH", guessed(0), noNosec), "EX 1 EX: -", "dio: -"},
	{"6.1-i", w6, world(0, 4096, "WWWW", guessed(0), onDisk(0)), "EX 1 EX FW: -", "N3: -"},
}

// rows612 is docs/kernel.md#checks-on-612-and-72; the rows with ov3 hold for patch3 as well.
var rows612 = []row{
	{"6.12-a", ov3, world(16384, 4096, "WWWW"), "EX 1 EX FW: -", "N3: -"},
	{"6.12-b", ov3, world(16384, 1024, "WWWW"), "EX 1 EX drain FW: -", "N3: -"},
	{"6.12-b not nosec", ov3, world(16000, 1024, "WWWW", noNosec), "EX 1 EX drain FW: -", "N3: -"},
	{"6.12-c aligned", ov3, world(0, 4096, "WWWW", appending), "SH 2 EX FW: -; -", "N2: -"},
	{"6.12-c unaligned", ov3, world(0, 1000, "WWWW", appending), "SH 2 EX drain FW: -; -", "N2: -"},
	{"6.12-d", ovs, world(8192, 8192, "WWWW", onDisk(8192)), "SH 2 EX FW: (2,2,0); (2,2,0)", "N2: (2,2,0)"},
	{"6.12-d hole", ovs, world(8192, 8192, "WWHH", onDisk(8192), noNosec), "SH 2 EX FW: (2,2,0); (2,2,0)", "N2: (2,2,0)"},
	{"6.12-e", ov3, world(8704, 1024, "WWWW", onDisk(8192)), "SH 2 EX FW: (2,1,0); (2,1,0)", "N2: (2,1,0)"},
	{"6.12-f unwritten", ov3, world(8704, 1024, "WWUU", onDisk(8192)), "SH 2 EX drain FW: (2,1,0); (2,1,0)", "N2: (2,1,0)"},
	{"6.12-f hole", ov3, world(8704, 4096, "WWWH", onDisk(8192)), "SH 2 EX drain FW: (2,2,0); (2,2,0)", "N2: (2,2,0)"},
	{"6.12-g written", ovs, world(4096, 8192, "WWWW"), "SH 1 SH: (1,2,0)", "dio: (1,2,0)"},
	{"6.12-g unwritten", ovs, world(4096, 8192, "WUUW"), "SH 1 SH: (1,2,0)", "dio: (1,2,0)"},
	{"6.12-h", ov3, world(512, 1024, "WWWW"), "SH 1 SH: (0,1,0)", "dio: (0,1,0)"},
	{"6.12-i hole", ovs, world(0, 4096, "HHHH"), "SH 2 EX: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-i mixed", ovs, world(0, 8192, "WUWW"), "SH 2 EX: (0,2,0); (0,2,0)", "N2: (0,2,0)"},
	{"6.12-i delayed", ovs, world(0, 4096, "DWWW"), "SH 2 EX: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-j unwritten", ov3, world(512, 1024, "UUUU"), "SH 2 EX drain FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-j mixed", ov3, world(512, 14336, "WUUW"), "SH 2 EX drain FW: (0,4,0); (0,4,0)", "N2: (0,4,0)"},
	{"6.12-j memory", ov3, world(0, 8192, "HHHH", memory(512)), "SH 2 EX drain FW: (0,2,0); (0,2,0)", "N2: (0,2,0)"},
	{"6.12-k", ovs, world(0, 4096, "WWWW", noNosec), "SH 2 EX: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-k hole", ovs, world(0, 4096, "HWWW", noNosec), "SH 2 EX: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-l", ov3, world(512, 1024, "WWWW", noNosec), "SH 2 EX FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-m", ov3, world(512, 1024, "UWWW", noNosec), "SH 2 EX drain FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"6.12-n", ovs, world(0, 4096, "WWWW", guessed(0)), "EX 1 EX: (0,1,0)", "dio: (0,1,0)"},
	{"6.12-n hole", ovs, world(0, 4096, "HHHH", guessed(0)), "EX 1 EX: (0,1,0)", "dio: (0,1,0)"},
	{"6.12-o", ov3, world(512, 1024, "WWWW", guessed(0)), "EX 1 EX FW: (0,1,0)", "N3: (0,1,0)"},
	{"6.12-p", ov3, world(512, 1024, "HHHH", guessed(0)), "EX 1 EX drain FW: (0,1,0)", "N3: (0,1,0)"},
	{"6.12-q aligned", ovs, world(0, 4096, "WWWW", guessed(0), onDisk(0)), "EX 1 EX FW: (0,1,0)", "N3: (0,1,0)"},
	{"6.12-q unaligned written", ov3, world(0, 512, "WWWW", guessed(0), onDisk(0)), "EX 1 EX FW: (0,1,0)", "N3: (0,1,0)"},
	{"6.12-q unaligned unwritten", ov3, world(0, 512, "UUUU", guessed(0), onDisk(0)), "EX 1 EX drain FW: (0,1,0)", "N3: (0,1,0)"},
}

// rowsPatch3 is docs/kernel.md#checks-with-patch-3: aligned writes make no lookup.
var rowsPatch3 = []row{
	{"patch3-d", p3, world(8192, 8192, "WWWW", onDisk(8192)), "SH 2 EX FW: -; -", "N2: -"},
	{"patch3-g written", p3, world(0, 8192, "WWWW"), "SH 1 SH: -", "dio: -"},
	{"patch3-g unwritten", p3, world(0, 8192, "UUUU"), "SH 1 SH: -", "dio: -"},
	{"patch3-i hole", p3, world(0, 8192, "HHHH"), "SH 1 SH: -", "N6: -"},
	{"patch3-i mixed", p3, world(0, 8192, "WUUU"), "SH 1 SH: -", "dio: -"},
	{"patch3-k", p3, world(0, 4096, "HWWW", noNosec), "SH 2 EX: -; -", "N2: -"},
	{"patch3-n", p3, world(0, 4096, "WWWW", guessed(0)), "EX 1 EX: -", "dio: -"},
	{"patch3-q aligned", p3, world(0, 4096, "WWWW", guessed(0), onDisk(0)), "EX 1 EX FW: -", "N3: -"},
}

// rows73 is docs/kernel.md#checks-with-patch-4, and in front of it #which-blocks-are-looked-up.
var rows73 = []row{
	{"zeroing end>S", nzs, world(12800, 8192, "WWWW"), "EX 1 EX drain FW: -", "N3: -"},
	{"zeroing memory", nzs, world(0, 16384, "HHHH", memory(512)), "SH 1 SH: -", "N6: -"},
	{"zeroing head", nzs, world(512, 7680, "WHHH"), "SH 1 SH: (0,2,0)", "N6: (0,2,0)"},
	{"zeroing head hole", nzs, world(512, 7680, "HWWW"), "SH 2 EX drain FW: (0,2,0); (0,2,0)", "N2: (0,2,0)"},
	{"zeroing h=t", nzs, world(512, 1024, "WWWW"), "SH 1 SH: (0,1,0)", "dio: (0,1,0)"},
	{"zeroing h=t unwritten", nzs, world(512, 1024, "UWWW"), "SH 2 EX drain FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"zeroing h<t head delayed", nzs, world(512, 8192, "DWWW"), "SH 2 EX drain FW: (0,3,0); (0,3,0)", "N2: (0,3,0)"},
	{"zeroing h<t reaches", nzs, world(512, 8192, "WWWW"), "SH 1 SH: (0,3,0)", "dio: (0,3,0)"},
	{"zeroing h<t ends before, tail written", nzs, world(512, 14336, "WUUW"), "SH 1 SH: (0,4,0) (3,1,0)", "dio: (0,4,0) (3,1,0)"},
	{"zeroing h<t border", nzs, world(512, 8192, "WW|WW"), "SH 1 SH: (0,3,0) (2,1,0)", "dio: (0,3,0) (2,1,0)"},
	{"zeroing h<t tail hole", nzs, world(512, 14336, "WWWH"), "SH 2 EX drain FW: (0,4,0) (3,1,0); (0,4,0) (3,1,0)", "N2: (0,4,0) (3,1,0)"},
	{"zeroing tail", nzs, world(0, 4608, "HWWW"), "SH 1 SH: (1,1,0)", "N6: (1,1,0)"},
	{"zeroing tail unwritten", nzs, world(0, 4608, "WUWW"), "SH 2 EX drain FW: (1,1,0); (1,1,0)", "N2: (1,1,0)"},

	{"7.3-a", nzs, world(16384, 4096, "WWWW"), "EX 1 EX FW: -", "N3: -"},
	{"7.3-b", nzs, world(16384, 1024, "WWWW"), "EX 1 EX drain FW: -", "N3: -"},
	{"7.3-c aligned", nzs, world(0, 4096, "WWWW", appending), "SH 2 EX FW: -; -", "N2: -"},
	{"7.3-c unaligned", nzs, world(0, 1000, "WWWW", appending), "SH 2 EX drain FW: -; -", "N2: -"},
	{"7.3-d", nzs, world(8192, 8192, "WWHH", onDisk(8192)), "SH 2 EX FW: -; -", "N2: -"},
	{"7.3-e", nzs, world(8704, 1024, "WWWW", onDisk(8192)), "SH 2 EX FW: (2,1,0); (2,1,0)", "N2: (2,1,0)"},
	{"7.3-f", nzs, world(8704, 1024, "WWHH", onDisk(8192)), "SH 2 EX drain FW: (2,1,0); (2,1,0)", "N2: (2,1,0)"},
	{"7.3-g", nzs, world(0, 8192, "WUWW"), "SH 1 SH: -", "dio: -"},
	{"7.3-g hole", nzs, world(0, 8192, "HHWW"), "SH 1 SH: -", "N6: -"},
	{"7.3-h", nzs, world(512, 1024, "WWWW"), "SH 1 SH: (0,1,0)", "dio: (0,1,0)"},
	{"7.3-j", nzs, world(512, 1024, "HHHH"), "SH 2 EX drain FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"7.3-k", nzs, world(0, 4096, "HHHH", noNosec), "SH 2 EX: -; -", "N2: -"},
	{"7.3-l", nzs, world(512, 1024, "WWWW", noNosec), "SH 2 EX: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"7.3-m", nzs, world(512, 1024, "UWWW", noNosec), "SH 2 EX drain FW: (0,1,0); (0,1,0)", "N2: (0,1,0)"},
	{"7.3-n", nzs, world(0, 4096, "WWWW", guessed(0)), "EX 1 EX: -", "dio: -"},
	{"7.3-o", nzs, world(512, 1024, "WWWW", guessed(0)), "EX 1 EX: (0,1,0)", "dio: (0,1,0)"},
	{"7.3-p", nzs, world(512, 1024, "UUUU", guessed(0)), "EX 1 EX drain FW: (0,1,0)", "N3: (0,1,0)"},
	{"7.3-q aligned", nzs, world(0, 4096, "HHHH", guessed(0), onDisk(0)), "EX 1 EX FW: -", "N3: -"},
	{"7.3-q unaligned", nzs, world(0, 512, "WWWW", guessed(0), onDisk(0)), "EX 1 EX FW: (0,1,0)", "N3: (0,1,0)"},
	{"7.3-q unaligned nz", nzs, world(0, 512, "UUUU", guessed(0), onDisk(0)), "EX 1 EX drain FW: (0,1,0)", "N3: (0,1,0)"},
}

// worked is docs/kernel.md#worked-writes; its rows say nothing of NOWAIT.
var worked = []row{
	{"1", w6, world(0, 8192, "WU"), "SH 2 EX: (0,2,0); -", ""},
	{"1", "linux-6.12 linux-7.2", world(0, 8192, "WU"), "SH 2 EX: (0,2,0); (0,2,0)", ""},
	{"1", "linux-7.3", world(0, 8192, "WU"), "SH 1 SH: -", ""},
	{"2", w6, world(0, 4096, "HHHH"), "SH 2 EX: (0,1,0); -", ""},
	{"2", "linux-6.12 linux-7.2", world(0, 4096, "HHHH"), "SH 2 EX: (0,1,0); (0,1,0)", ""},
	{"2", "linux-7.3", world(0, 4096, "HHHH"), "SH 1 SH: -", ""},
	{"3", w6, world(512, 14336, "WUUW"), "EX 1 EX drain FW: -", ""},
	{"3", "linux-6.12 linux-7.2", world(512, 14336, "WUUW"), "SH 2 EX drain FW: (0,4,0); (0,4,0)", ""},
	{"3", "linux-7.3", world(512, 14336, "WUUW"), "SH 1 SH: (0,4,0) (3,1,0)", ""},
	{"4", w6, world(512, 1024, "WWWW"), "EX 1 EX drain FW: -", ""},
	{"4", "linux-6.12 linux-7.2", world(512, 1024, "WWWW"), "SH 1 SH: (0,1,0)", ""},
	{"4", "linux-7.3", world(512, 1024, "WWWW"), "SH 1 SH: (0,1,0)", ""},
	{"5", w6, world(0, 16384, "HHHH", memory(512)), "EX 1 EX drain FW: -", ""},
	{"5", "linux-6.12 linux-7.2", world(0, 16384, "HHHH", memory(512)), "SH 2 EX drain FW: (0,4,0); (0,4,0)", ""},
	{"5", "linux-7.3", world(0, 16384, "HHHH", memory(512)), "SH 1 SH: -", ""},
}

// TestTruthTables holds the walk against the tables of docs/kernel.md, typed by hand from them.
func TestTruthTables(t *testing.T) {
	for _, section := range [][]row{rows61, rows612, rowsPatch3, rows73, worked} {
		for _, r := range section {
			for _, v := range strings.Fields(r.variants) {
				t.Run(r.name+"/"+v, func(t *testing.T) { r.check(t, v) })
			}
		}
	}
}

func (r row) check(t *testing.T, variant string) {
	in := r.in
	in.Variant = variant
	if got := checks(Walk(in)); got != r.want {
		t.Errorf("blocking:\n got %s\nwant %s", got, r.want)
	}
	if r.nowait == "" {
		return
	}
	in.Nowait = true
	want := r.nowait
	if variant == "series-v2" {
		want = strings.ReplaceAll(want, ",0)", ",800)")
	}
	out := Walk(in)
	if got := out.End + ": " + lookups(out); got != want {
		t.Errorf("NOWAIT:\n got %s\nwant %s", got, want)
	}
	if out.End[0] == 'N' && out.Ret != eagain {
		t.Errorf("NOWAIT exit %s returned %d", out.End, out.Ret)
	}
}
