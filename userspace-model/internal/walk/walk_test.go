package walk

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

const all = six + " " + seven

// before prints what is known of a write that ended before iomap_dio_rw, or was buffered.
func before(out Outcome) string {
	s := fmt.Sprintf("%s %d", out.End, out.Ret)
	if out.Dax {
		s += " dax"
	}
	if out.Guess != "" {
		s += " " + out.Guess
	}
	if out.Passes > 0 {
		s += fmt.Sprintf(" passes %d", out.Passes)
	}
	if out.Fmod != "" {
		s += " " + out.Fmod
	}
	if out.Orphan {
		s += " orphan"
	}
	if out.Fallback != nil {
		s += fmt.Sprintf(" buf %d+%d", out.Fallback.Pos, out.Fallback.Len)
	}
	return s
}

// TestBeforeIomap covers the entry, the first lock, ext4_should_use_dio, the generic write checks, timestamps and the orphan
// list.
func TestBeforeIomap(t *testing.T) {
	encrypted := func(in *Input) { in.Encrypted = true }
	inline := func(in *Input) { in.InlineCrypt = true }
	stale := func(in *Input) { in.Stale = true }
	busy := func(in *Input) { in.TrylockFails = true }
	limit := func(n int64) func(*Input) { return func(in *Input) { in.LimitFsize = n } }
	for _, c := range []struct {
		name, variants string
		in             Input
		want           string
	}{
		{"shutdown", all, world(0, 4096, "W", func(in *Input) { in.Shutdown, in.ReadOnly, in.Dax = true, true, true }), "entry -5"},
		{"read-only", seven, world(0, 4096, "W", func(in *Input) { in.ReadOnly, in.Dax = true, true }), "entry -30"},
		{"read-only", six, world(0, 4096, "W", func(in *Input) { in.ReadOnly = true }), "dio 4096 SH passes 1 file_modified"},
		{"dax", all, world(0, 4096, "W", atomic, func(in *Input) { in.Dax, in.AtomicMax = true, 0 }), "entry 0 dax"},
		{"atomic too small", seven, world(0, 2048, "W", atomic), "entry -22"},
		{"atomic too large", seven, world(0, 131072, "W", atomic), "entry -22"},
		{"atomic no power of two", seven, world(0, 12288, "WWW", atomic), "entry -22"},
		{"atomic position", seven, world(4096, 8192, "WWW", atomic), "entry -22"},
		{"atomic at the limits", seven, world(0, 4096, "W", atomic, nowait, busy, func(in *Input) { in.AtomicMax = 4096 }), "N1 -11 SH"},
		{"atomic ignored", six, world(4096, 8192, "WWW", atomic), "dio 8192 SH passes 1 file_modified"},
		{"N1", all, world(0, 4096, "W", nowait, busy), "N1 -11 SH"},
		{"N1 EX", all, world(4096, 4096, "W", nowait, busy), "N1 -11 EX"},
		{"N1 before N0", all, world(0, 4096, "W", nowait, busy, func(in *Input) { in.Inline = true }), "N1 -11 SH"},
		{"blocking does not try", "linux-7.3", world(0, 4096, "W", busy), "dio 4096 SH passes 1 kiocb_modified"},
		{"inline data", all, world(0, 4096, "W", func(in *Input) { in.Inline = true }), "buffered 4096 SH buf 0+4096"},
		{"journalled", all, world(0, 4096, "W", func(in *Input) { in.JournalData = true }), "buffered 4096 SH buf 0+4096"},
		{"N0", all, world(0, 4096, "W", nowait, func(in *Input) { in.JournalData = true }), "N0 -95 SH"},
		{"buffered checks", all, world(0, 4096, "W", func(in *Input) { in.Inline = true }, limit(1000)), "buffered 1000 SH buf 0+4096"},
		{"buffered refused", all, world(0, 4096, "W", func(in *Input) { in.Inline, in.Immutable = true, true }), "buffered -1 SH buf 0+4096"},
		{"no inline crypto", "linux-6.1 linux-6.12 linux-7.2", world(0, 4096, "W", encrypted), "buffered 4096 SH buf 0+4096"},
		{"no inline crypto", "linux-7.3 series-v2", world(0, 4096, "W", encrypted), "dio 4096 SH passes 1 kiocb_modified"},
		{"encrypted unaligned", seven + " linux-6.12", world(512, 512, "W", encrypted, inline), "buffered 512 SH buf 512+512"},
		{"encrypted memory", "linux-7.3", world(0, 4096, "W", encrypted, memory(512)), "buffered 4096 SH buf 0+4096"},
		{"encrypted aligned", "linux-7.2 base", world(0, 4096, "W", encrypted, inline), "dio 4096 SH passes 1 file_modified"},
		{"immutable", all, world(0, 0, "W", func(in *Input) { in.Immutable, in.Swapfile = true, true }), "checks -1 SH passes 1"},
		{"swapfile", all, world(0, 0, "W", func(in *Input) { in.Swapfile = true }), "checks -26 SH passes 1"},
		{"nothing to write", all, world(0, 0, "W", limit(0), memory(512)), "checks 0 SH passes 1"},
		{"limit", all, world(4096, 4096, "WW", limit(4096)), "checks -27 SH passes 1"},
		{"limit by append", all, world(0, 4096, "WW", appending, limit(8192)), "checks -27 SH passes 1"},
		{"limit cut", "linux-6.12", world(0, 8192, "WW", limit(4096)), "dio 4096 SH passes 1 file_modified"},
		{"maxbytes", all, world(4096, 4096, "WW", func(in *Input) { in.MaxBytes = 4096 }), "checks -27 SH passes 1"},
		{"maxbytes cut", "linux-6.12", world(0, 8192, "WW", func(in *Input) { in.MaxBytes = 4096 }), "dio 4096 SH passes 1 file_modified"},
		{"bitmap cut", "linux-6.12", world(0, 8192, "WW", indirect, func(in *Input) { in.BitmapMaxBytes = 4096 }), "dio 4096 SH passes 1 file_modified"},
		{"bitmap", all, world(4096, 4096, "WW", indirect, func(in *Input) { in.BitmapMaxBytes = 4096 }), "checks -27 SH passes 1"},
		{"bitmap of extents", "linux-6.12", world(4096, 4096, "WW", func(in *Input) { in.BitmapMaxBytes = 4096 }), "dio 4096 SH passes 1 file_modified"},
		{"orphan", "linux-6.1 linux-6.12 linux-7.2 patch4", world(4096, 4096, "W"), "dio 4096 EX passes 1 file_modified orphan"},
		{"orphan by disksize", "linux-7.3 series-v2", world(0, 4096, "W", onDisk(0)), "dio 4096 SH passes 2 kiocb_modified orphan"},
		{"N2 before file_modified", all, world(0, 4096, "W", noNosec, nowait, stale), "N2 -11 SH passes 1"},
		{"N3 after file_modified", "linux-6.1", world(512, 512, "W", nowait), "N3 -11 EX passes 1 file_modified"},
		{"N3 before file_modified", "linux-6.12 " + seven, world(4096, 512, "W", nowait, stale), "N3 -11 EX passes 1"},
		{"N4", "linux-7.3 series-v2", world(0, 4096, "W", nowait, stale), "N4 -11 SH passes 1 kiocb_modified"},
		{"N4 blocking", "linux-7.3 series-v2", world(0, 4096, "W", stale), "dio 4096 SH passes 1 kiocb_modified"},
		{"stale without patch 5", six + " linux-7.2 base patch3 patch4", world(0, 4096, "W", nowait, stale), "dio 4096 SH passes 1 file_modified"},
	} {
		for _, v := range strings.Fields(c.variants) {
			in := c.in
			in.Variant = v
			if got := before(Walk(in)); got != c.want {
				t.Errorf("%s/%s:\n got %s\nwant %s", c.name, v, got, c.want)
			}
		}
	}
}

// TestCornerCases covers what docs/kernel.md#corner-cases says of single situations and no table holds.
func TestCornerCases(t *testing.T) {
	limit := func(in *Input) { in.LimitFsize = 5000 }
	for _, c := range []struct {
		name, variant string
		in            Input
		want          string
	}{
		// docs/kernel.md#appending: 6.1 judges an append by the position it had before the move.
		{"append at unaligned i_size", "linux-6.1", world(0, 4096, "WW", appending, sized(5000)), "SH 2 EX FW: -; -"},
		{"append at unaligned i_size", "linux-6.12", world(0, 4096, "WW", appending, sized(5000)), "SH 2 EX drain FW: -; -"},
		{"append at aligned i_size", "linux-6.1", world(100, 4096, "WW", appending), "EX 1 EX drain FW: -"},
		{"append at aligned i_size", "linux-6.12", world(100, 4096, "WW", appending), "SH 2 EX FW: -; -"},
		// docs/kernel.md#limits-that-cut-a-write: a cut can make an aligned write unaligned; 6.1 keeps the first verdict.
		{"cut", "linux-6.1", world(0, 8192, "WW", limit), "SH 1 SH: (0,2,0)"},
		{"cut", "linux-6.12", world(0, 8192, "UU", limit), "SH 2 EX drain FW: (0,2,0); (0,2,0)"},
		{"cut", "linux-7.3", world(0, 8192, "WU", limit), "SH 2 EX drain FW: (1,1,0); (1,1,0)"},
		// docs/kernel.md#empty-writes
		{"empty", "linux-6.1", world(0, 0, "W", memory(512)), "SH 1 : -"},
	} {
		in := c.in
		in.Variant = c.variant
		if got := checks(Walk(in)); got != c.want {
			t.Errorf("%s/%s:\n got %s\nwant %s", c.name, c.variant, got, c.want)
		}
	}
}

// TestColdCache: under NOWAIT series-v2 counts a miss as not written, whatever the file holds.
func TestColdCache(t *testing.T) {
	in := world(512, 1024, "WWWW", nowait, cold)
	in.Variant = "series-v2"
	if got := Walk(in); got.End != "N2" || lookups(got) != "(0,1,800)" {
		t.Errorf("got %s: %s, want N2: (0,1,800)", got.End, lookups(got))
	}
	in.GuessISize = 0
	if got := Walk(in); got.End != "N3" {
		t.Errorf("guess EX: got %s, want N3", got.End)
	}
}

func TestUnknownVariant(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Walk(Input{Variant: "linux-5.10"})
}

// anyInput draws a small world.
func anyInput(r *rand.Rand) Input {
	yes := func(n int) bool { return r.IntN(n) == 0 }
	blocks := make([]byte, r.IntN(9))
	letters := "WWUHD|"
	for i := range blocks {
		blocks[i] = letters[r.IntN(len(letters))]
	}
	step := int64([]int{256, 512, 1024}[r.IntN(3)])
	at := func(n int) int64 { return step * int64(r.IntN(n)) }
	size := at(32)
	in := Input{
		Variant: strings.Fields(all)[r.IntN(8)], Pos: at(24), Len: at(24), Mem: uint32(at(4)), Blkbits: 10,
		Nowait: yes(3), Append: yes(5), Async: yes(2), Atomic: yes(8), AtomicMin: 1024, AtomicMax: 8192,
		ISize: size, Disksize: size, GuessISize: size, Blocks: string(blocks), Indirect: yes(4), Nosec: !yes(4),
		Encrypted: yes(9), InlineCrypt: yes(2), Stale: yes(5), PagesCached: yes(5), InvalidateFails: yes(2), Cold: yes(4),
	}
	if yes(4) {
		in.Disksize = at(32)
	}
	if yes(4) {
		in.GuessISize = at(32)
	}
	if yes(6) {
		in.LimitFsize = at(32)
	}
	if yes(4) {
		in.LBS = 512
	}
	if in.Indirect {
		in.Blocks = strings.Map(func(c rune) rune {
			if c == 'U' {
				return 'W'
			}
			return c
		}, in.Blocks)
	}
	return in
}

// broken names the first rule that out breaks, or "".
func broken(in Input, out Outcome) string {
	bs := int64(1) << in.Blkbits
	switch {
	case len(out.Lookups) != out.Passes || out.Passes > 2:
		return "passes"
	case in.Nowait && (out.Passes > 1 || out.Fallback != nil || out.Drain || out.ForceWait):
		return "NOWAIT waits"
	case out.Mode == "SH" && (out.Drain || out.ForceWait || out.Orphan):
		return "SH waits"
	case out.Queued && (out.ForceWait || out.Fallback != nil || !in.Async):
		return "queued"
	case out.Drain && !out.ForceWait:
		return "drain without wait"
	case out.OverwriteOps && out.Mode != "SH":
		return "overwrite ops"
	}
	if out.Zeroed != nil && len(out.Zeroed) == 0 || out.Mappings != nil && len(out.Mappings) == 0 {
		return "empty where nil is due"
	}
	for _, z := range out.Zeroed {
		if z.Len <= 0 || z.Len >= bs || z.Pos/bs != (z.Pos+z.Len-1)/bs {
			return "zeroing beyond a block"
		}
	}
	for i, m := range out.Mappings {
		if m.Err != 0 && (i != len(out.Mappings)-1 || m != Mapping{Err: m.Err}) {
			return "failed mapping"
		}
		if m.Err == 0 && m.Len == 0 {
			return "empty mapping"
		}
		if i > 0 && m.Err == 0 && m.Lblk != out.Mappings[i-1].Lblk+out.Mappings[i-1].Len {
			return "gap"
		}
	}
	return ""
}

// TestInvariants tries random worlds: the walk must end, and must not break what holds in every variant.
func TestInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for range 200_000 {
		in := anyInput(r)
		out := Walk(in)
		seen[out.End]++
		if b := broken(in, out); b != "" {
			t.Fatalf("%s:\n in %+v\nout %+v", b, in, out)
		}
		if again := Walk(in); !reflect.DeepEqual(out, again) {
			t.Fatalf("second walk differs:\n%+v\n%+v", out, again)
		}
	}
	for _, end := range strings.Fields("entry buffered checks N0 N2 N3 N4 N5 N6 dio") {
		if seen[end] == 0 {
			t.Errorf("no random world ended at %s: the draw is too narrow", end)
		}
	}
}

// BenchmarkWalk gives the price of one call; an exhaustive comparison makes tens of millions.
func BenchmarkWalk(b *testing.B) {
	in := world(512, 14336, "WUUW")
	for _, v := range strings.Fields(all) {
		in.Variant = v
		b.Run(v, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Walk(in)
			}
		})
	}
}
