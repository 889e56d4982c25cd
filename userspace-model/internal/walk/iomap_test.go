package walk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// iomapPhase prints mappings, zeroed ranges, the fallback and the result of a walk.
func iomapPhase(out Outcome) string {
	var parts []string
	for _, m := range out.Mappings {
		s := fmt.Sprintf("%d+%d %s", m.Lblk, m.Len, m.Type)
		if m.Err != 0 {
			s = fmt.Sprintf("err %d", m.Err)
		}
		if m.New {
			s += " new"
		}
		if m.Alloc != 0 {
			s += fmt.Sprintf(" alloc %x", m.Alloc)
		}
		parts = append(parts, s)
	}
	for _, z := range out.Zeroed {
		parts = append(parts, fmt.Sprintf("zero %d+%d", z.Pos, z.Len))
	}
	if out.Fallback != nil {
		s := fmt.Sprintf("buf %d+%d", out.Fallback.Pos, out.Fallback.Len)
		if out.FallbackDrain {
			s += " drain"
		}
		parts = append(parts, s)
	}
	if out.Queued {
		parts = append(parts, "queued")
	}
	if out.OverwriteOps {
		parts = append(parts, "ovw-ops")
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(": %s %d", out.End, out.Ret)
}

const (
	six    = "linux-6.1 linux-6.12"
	seven  = "linux-7.2 base patch3 patch4 linux-7.3 series-v2"
	patch1 = "patch3 patch4 linux-7.3 series-v2"
)

func sized(s int64) func(*Input) {
	return func(in *Input) { in.ISize, in.Disksize, in.GuessISize = s, s, s }
}
func cached(in *Input)            { in.PagesCached = true }
func pinned(in *Input)            { in.PagesCached, in.InvalidateFails = true, true }
func sector(n int64) func(*Input) { return func(in *Input) { in.LBS = n } }
func atomic(in *Input)            { in.Atomic, in.AtomicMin, in.AtomicMax = true, 4096, 65536 }
func patches(which ...int) func(*Input) {
	return func(in *Input) {
		in.Patch6, in.Patch7, in.Patch8 = slices.Contains(which, 6), slices.Contains(which, 7), slices.Contains(which, 8)
	}
}
func cold(in *Input) { in.Cold = true }

// iomapRow is one situation of the iomap phase.
type iomapRow struct {
	name     string
	variants string
	in       Input
	want     string
}

// formats is docs/kernel.md#by-inode-format and the mappings of docs/kernel.md#ext4_iomap_begin.
var formats = []iomapRow{
	{"written", six, world(0, 8192, "WWWW"), "0+2 MAPPED, ovw-ops: dio 8192"},
	{"written", seven, world(0, 8192, "WWWW"), "0+2 MAPPED: dio 8192"},
	{"written EX", six, world(0, 8192, "W|W", guessed(0)), "0+1 MAPPED, 1+1 MAPPED: dio 8192"},
	{"unwritten", six, world(0, 8192, "UU"), "0+2 UNWRITTEN new alloc b: dio 8192"},
	{"unwritten", seven, world(0, 8192, "UU"), "0+2 UNWRITTEN: dio 8192"},
	{"hole", six, world(0, 8192, "HH"), "0+2 UNWRITTEN new alloc b: dio 8192"},
	{"hole", seven, world(0, 8192, "HH"), "0+2 UNWRITTEN new alloc 3: dio 8192"},
	{"hole in two cached pieces", six, world(0, 8192, "H|H"), "0+1 UNWRITTEN new alloc b, 1+1 UNWRITTEN new alloc b: dio 8192"},
	{"hole in two cached pieces", seven, world(0, 8192, "H|H"), "0+2 UNWRITTEN new alloc 3: dio 8192"},
	{"hole then written", six, world(0, 8192, "HW"), "0+1 UNWRITTEN new alloc b, 1+1 MAPPED: dio 8192"},
	{"hole then written", seven, world(0, 8192, "HW"), "0+1 UNWRITTEN new alloc 3, 1+1 MAPPED: dio 8192"},
	{"delayed", six + " " + seven, world(0, 12288, "WDD"), "0+1 MAPPED, 1+2 MAPPED: dio 12288"},
	{"delayed in part", six + " " + seven, world(4096, 4096, "DDD"), "1+1 MAPPED: dio 4096"},
	{"beyond", six + " " + seven, world(4096, 8192, "W"), "1+2 MAPPED new alloc 1: dio 8192"},
	{"beyond, kept space", six + " " + seven, world(4096, 8192, "WUU", sized(4096)), "1+2 MAPPED new alloc 1: dio 8192"},
	{"beyond, written", six + " " + seven, world(4096, 8192, "WWW", sized(4096)), "1+2 MAPPED alloc 1: dio 8192"},
	{"straddling hole", six, world(0, 8192, "HH", sized(6000)), "0+2 UNWRITTEN new alloc b: dio 8192"},
	{"straddling hole", seven, world(0, 8192, "HH", sized(6000)), "0+2 UNWRITTEN new alloc 3: dio 8192"},
	{"extending over written", six, world(0, 8192, "W", sized(4096)), "0+1 MAPPED alloc b, 1+1 MAPPED new alloc 1: dio 8192"},
	{"extending over written", seven, world(0, 8192, "W", sized(4096)), "0+1 MAPPED alloc 3, 1+1 MAPPED new alloc 1: dio 8192"},
	{"extending over unwritten", six, world(0, 8192, "U", sized(4096)), "0+1 UNWRITTEN new alloc b, 1+1 MAPPED new alloc 1: dio 8192"},
	{"extending over unwritten", seven, world(0, 8192, "U", sized(4096)), "0+1 UNWRITTEN alloc 3, 1+1 MAPPED new alloc 1: dio 8192"},
	{"allocation cap", seven, world(0, 5000*4096, "H", sized(1<<40)),
		"0+4096 UNWRITTEN new alloc 3, 4096+904 UNWRITTEN new alloc 3: dio 20480000"},

	{"indirect written", seven, world(0, 8192, "WW", indirect), "0+2 MAPPED: dio 8192"},
	{"indirect hole", "linux-6.1 linux-6.12 base", world(0, 8192, "HH", indirect), "err -15, buf 0+8192: dio 8192"},
	{"indirect hole", "linux-7.2 " + patch1, world(0, 8192, "HH", indirect), "err -15, buf 0+8192 drain: dio 8192"},
	{"indirect hole behind written", patch1, world(512, 8192, "WHWW", indirect),
		"0+1 MAPPED, err -15, buf 4096+4608 drain: dio 8192"},
	{"indirect hole async", "linux-7.3", world(0, 8192, "WH", indirect, async), "0+1 MAPPED, err -15, buf 4096+4096 drain: dio 8192"},
	{"indirect hole NOWAIT", patch1, world(0, 8192, "HH", indirect, nowait), "err -11: N6 -11"},
	{"indirect hole NOWAIT, guess EX", "linux-6.1 linux-6.12 linux-7.2 base", world(0, 8192, "HH", indirect, nowait, guessed(0)),
		"err -15: dio -95"},
	{"indirect beyond", seven, world(4096, 4096, "W", indirect), "1+1 MAPPED new alloc 1: dio 4096"},
	{"indirect straddling hole", "linux-7.3", world(0, 8192, "HH", indirect, sized(2000)), "err -15, buf 0+8192 drain: dio 8192"},
	{"indirect straddling written", "linux-7.3", world(0, 8192, "WH", indirect, sized(2000)),
		"0+1 MAPPED, 1+1 MAPPED new alloc 1: dio 8192"},
}

// zeroing is docs/kernel.md#zeroing-partial-blocks.
var zeroing = []iomapRow{
	{"head and tail, unwritten", "linux-7.3", world(512, 1024, "U"), "0+1 UNWRITTEN, zero 0+512, zero 1536+2560: dio 1024"},
	{"head and tail, hole", "linux-6.1", world(512, 1024, "H"), "0+1 UNWRITTEN new alloc b, zero 0+512, zero 1536+2560: dio 1024"},
	{"written", "linux-7.3", world(512, 1024, "W"), "0+1 MAPPED: dio 1024"},
	{"head and tail in two mappings", "linux-7.3", world(512, 8192, "UWU"),
		"0+1 UNWRITTEN, 1+1 MAPPED, 2+1 UNWRITTEN, zero 0+512, zero 8704+3584: dio 8192"},
	{"middle only", "linux-7.3", world(512, 14336, "WUUW"), "0+1 MAPPED, 1+2 UNWRITTEN, 3+1 MAPPED: dio 14336"},
	{"E-eof, shared", "linux-6.12", world(4096, 904, "WW", sized(5000)), "1+1 MAPPED, zero 5000+3192, ovw-ops: dio 904"},
	{"E-eof, shared", seven, world(4096, 904, "WW", sized(5000)), "1+1 MAPPED, zero 5000+3192: dio 904"},
	{"one byte short of E-eof", seven, world(4096, 903, "WW", sized(5000)), "1+1 MAPPED: dio 903"},
	{"extending", seven, world(4096, 1000, "WW", sized(5000)), "1+1 MAPPED alloc 3, zero 5096+3096: dio 1000"},
	{"extending into new block", seven, world(5000, 4096, "WW", sized(5000)), "1+1 MAPPED alloc 3, 2+1 MAPPED new alloc 1, zero 9096+3192: dio 4096"},
	{"small blocks", "linux-7.3", world(512, 512, "U", func(in *Input) { in.Blkbits = 10 }), "0+1 UNWRITTEN, zero 0+512: dio 512"},
}

// ends is 3.5: cached pages, the device test, NOWAIT exits and queueing.
var ends = []iomapRow{
	{"N5", six, world(0, 4096, "W", cached, nowait), "ovw-ops: N5 -11"},
	{"N5", seven, world(0, 4096, "W", cached, nowait), ": N5 -11"},
	{"N5 delayed", patch1, world(0, 8192, "WD", nowait), ": N5 -11"},
	{"cached", seven, world(0, 4096, "W", cached), "0+1 MAPPED: dio 4096"},
	{"invalidate", "linux-6.1", world(0, 4096, "W", pinned), "buf 0+4096, ovw-ops: dio 4096"},
	{"invalidate", "linux-7.2 " + patch1, world(512, 1024, "W", pinned, async), "buf 512+1024 drain: dio 1024"},
	{"invalidate delayed", "linux-7.2", world(0, 4096, "D", func(in *Input) { in.InvalidateFails = true }), "buf 0+4096 drain: dio 4096"},
	{"invalidate without pages", "linux-7.2", world(0, 4096, "W", func(in *Input) { in.InvalidateFails = true }), "0+1 MAPPED: dio 4096"},
	{"invalidate atomic", seven, world(0, 4096, "W", pinned, atomic), ": dio -11"},
	{"invalidate atomic 6.x", "linux-6.12", world(0, 4096, "W", pinned, atomic), "buf 0+4096, ovw-ops: dio 4096"},
	{"atomic on two mappings", seven, world(0, 8192, "W|W", atomic), "0+1 MAPPED alloc 3, 1+1 MAPPED: dio 8192"},
	{"sector", "linux-7.3", world(100, 1024, "W", sector(512)), "0+1 MAPPED: dio -22"},
	{"sector, async", "linux-7.3", world(100, 1024, "W", sector(512), async), "0+1 MAPPED: dio -22"},
	{"sector in part length", "linux-7.3", world(3584, 612, "WW", sector(512)), "0+2 MAPPED: dio -22"},
	{"sector behind a mapping", "linux-7.3", world(0, 4196, "W|W", sector(512), async), "0+1 MAPPED, 1+1 MAPPED, queued: dio -22"},
	{"sector, sync", "linux-7.3", world(0, 4196, "W|W", sector(512)), "0+1 MAPPED, 1+1 MAPPED: dio -22"},
	{"sector, forced wait", "linux-7.3", world(0, 4196, "W|W", sector(512), async, onDisk(0)), "0+1 MAPPED, 1+1 MAPPED: dio -22"},
	{"async", "linux-6.12", world(0, 4096, "W", async), "0+1 MAPPED, queued, ovw-ops: dio 4096"},
	{"async", seven, world(0, 4096, "W", async), "0+1 MAPPED, queued: dio 4096"},
	{"async extending", seven, world(4096, 4096, "W", async), "1+1 MAPPED new alloc 1: dio 4096"},
	{"async unaligned EX", "linux-7.2", world(512, 512, "W", async, noNosec), "0+1 MAPPED: dio 512"},
	{"async unaligned EX", "linux-7.3", world(512, 512, "W", async, noNosec), "0+1 MAPPED, queued: dio 512"},
	{"N6 first", patch1, world(0, 4096, "H", nowait, async), "err -11: N6 -11"},
	{"N6 later", patch1, world(0, 8192, "WH", nowait, async), "0+1 MAPPED, err -11, queued: N6 -11"},
	{"N6 later, sync", patch1, world(0, 8192, "WH", nowait), "0+1 MAPPED, err -11: N6 -11"},
	{"NOWAIT hole in EX", "linux-7.2 base", world(0, 4096, "H", nowait, guessed(0)), "0+1 UNWRITTEN new alloc 3: dio 4096"},
	{"cold cache", "linux-7.3", world(0, 4096, "W", nowait, cold), "0+1 MAPPED: dio 4096"},
	{"cold cache", "series-v2", world(0, 4096, "W", nowait, cold), "err -11: N6 -11"},
	{"cold cache, patch 6 alone", "linux-7.3", world(0, 4096, "W", nowait, cold, patches(6)), "0+1 MAPPED: dio 4096"},
	{"cold cache, patch 7 alone", "linux-7.3", world(0, 4096, "W", nowait, cold, patches(7)), "err -11: N6 -11"},
	{"cold cache, patch 7, blocking", "linux-7.3", world(0, 4096, "W", cold, patches(7)), "0+1 MAPPED: dio 4096"},
	{"cold cache, patch 8 alone", "linux-7.3", world(512, 1024, "W", nowait, cold, patches(8)), ": N2 -11"},
	{"cold cache, patch 8, block borders", "linux-7.3", world(0, 4096, "W", nowait, cold, patches(8)), "0+1 MAPPED: dio 4096"},
	{"cold cache, blocking", "series-v2", world(0, 4096, "W", cold), "0+1 MAPPED: dio 4096"},
	{"block number too large", seven, world(0xffffffff<<12, 4096, "", sized(1<<50)), "err -22: dio -22"},
}

// TestIomapPhase covers docs/kernel.md#iomap and #by-inode-format.
func TestIomapPhase(t *testing.T) {
	for _, part := range [][]iomapRow{formats, zeroing, ends} {
		for _, r := range part {
			for _, v := range strings.Fields(r.variants) {
				in := r.in
				in.Variant = v
				if got := iomapPhase(Walk(in)); got != r.want {
					t.Errorf("%s/%s:\n got %s\nwant %s", r.name, v, got, r.want)
				}
			}
		}
	}
}
