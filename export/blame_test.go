package export

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// waitRow is a write of comm that waited for some.
func waitRow(comm string, parts ...observe.Part) *Row {
	w := observe.Wait{Lock: record.LockExclusive, Parts: parts}
	for i := range parts {
		w.Ns += parts[i].Ns
	}
	return &Row{Comm: comm, WaitNs: Some(w.Ns), Waits: []observe.Wait{w}}
}

func heldBy(op, comm string, pid uint32, ns uint64) observe.Part {
	return observe.Part{Cause: observe.CauseHeld, Mode: record.LockExclusive, Actor: observe.Actor{Op: op, Comm: comm, Pid: pid}, Ns: ns}
}

// TestSummaryOfWaits: who waited for whom by what the holder did, the longest first, and
// then the rest, of which it is said why it is not known. A line has no more than 80 columns.
func TestSummaryOfWaits(t *testing.T) {
	var s Summary
	for range 3 {
		s.Totals.Add(waitRow("fio", heldBy("fallocate:zero-range", "fstrim", 77, 2_000_000), observe.Part{Ns: 500_000}))
	}
	s.Totals.Add(waitRow("fio", heldBy("truncate", "a", 5, 900_000)))
	s.Totals.Add(waitRow("fio", heldBy("truncate", "a", 6, 100_000)))
	readers := heldBy("direct-read", "r1", 9, 400_000)
	readers.Mode, readers.With, readers.Others = record.LockShared, []observe.Actor{{Op: "direct-read", Comm: "r2"}, {Op: "direct-read", Comm: "r1"}}, 2
	s.Totals.Add(waitRow("fio", readers))
	s.Totals.Add(waitRow("日本語の\x1b", observe.Part{Cause: observe.CauseQueued, Mode: record.LockExclusive, Actor: observe.Actor{Op: "unknown:ext4_alloc_file_blocks_and_more", Comm: "日本語の", Pid: 4194304}, Ns: 1000}))
	s.Totals.Add(&Row{Comm: "fio", WaitNs: Some[uint64](100_000)}) // nobody has looked
	const want = `waited:   9.00ms for i_rwsem
SHARE     WAIT   TIMES  WHO <- FOR WHOM
  67%   6.00ms       3  fio excl. <- fallocate:zero-range of fstrim [77]
  11%   1.00ms       2  fio excl. <- truncate of a
   4%    400us       1  fio excl. <- direct-read of r1, r2
  <1%   1.00us       1  日本語の\x1b excl. <- unknown:ext4_alloc_file_blocks_an~
  18%   1.60ms          not known for whom`
	text := func() string {
		var b strings.Builder
		if _, err := s.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for holders, why := range map[string]string{
		"": ": the trace has direct writes only\n", "off": ": holders were not recorded (off)\n", "auto": "\n", "all": "\n",
	} {
		s.Holders = holders
		got := text()
		if !strings.HasSuffix(got, want+why) {
			t.Errorf("%s holders:\n%s\nwant\n%s", holders, got, want+why)
		}
		for line := range strings.Lines(got[strings.Index(got, "waited:"):]) {
			if n := utf8.RuneCountInString(line) + strings.Count(line, "日本語の")*4 - 1; n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
		if strings.Contains(got, "LOST") {
			t.Error(got)
		}
	}
	s.Losses.LostHold = 3
	if !strings.HasPrefix(text(), "HOLDERS LOST: 3 holders of i_rwsem without a record") {
		t.Error(text())
	}
	b, err := s.JSON()
	var got struct {
		For []struct {
			Waiter, Cause string
			Op, Holder    *string
			Pid           *uint32
			Waits, Ns     uint64
		} `json:"waited_for"`
		Unknown uint64 `json:"waited_unknown_ns"`
		Lost    uint64 `json:"lost_holders"`
		Holders *string
	}
	if err != nil || json.Unmarshal(b, &got) != nil {
		t.Fatal(err, string(b))
	}
	sum := uint64(0)
	for i := range got.For {
		sum += got.For[i].Ns
	}
	if sum != s.Totals.WaitNs || got.Unknown != 1_600_000 || got.Lost != 3 || *got.For[0].Op != "fallocate:zero-range" || *got.For[0].Pid != 77 || got.For[0].Waits != 3 ||
		got.For[1].Op != nil || got.For[2].Pid != nil {
		t.Errorf("%s", b)
	}
}

// TestManyBlames: the memory is bounded, few lines are shown, and both add up to all that
// was waited. A copy does not change with what it is of.
func TestManyBlames(t *testing.T) {
	var b Blames
	for i := range maxBlames + 100 {
		b.Add(waitRow(fmt.Sprint("w", i), heldBy("truncate", "t", 1, 1000)))
	}
	lines := b.lines("auto")
	more := b.More()
	if len(b.List()) != maxBlames || more.Waits != 100 || more.Ns != 100_000 || b.Unknown != 0 {
		t.Errorf("%d pairs, more %+v, unknown %d", len(b.List()), more, b.Unknown)
	}
	if last := lines[len(lines)-1]; len(lines) != 2+textBlames+1 || last != " 100%   4.19ms          4088 more pairs" {
		t.Errorf("%d lines, the last %q", len(lines), last)
	}
	c := b.clone()
	b.Add(waitRow("w1", heldBy("truncate", "t", 1, 1000)))
	if c.Ns == b.Ns || *c.List()[1] != (Blame{BlameKey: c.List()[1].BlameKey, Pid: 1, Waits: 1, Ns: 1000}) {
		t.Error("a copy changes")
	}
}
