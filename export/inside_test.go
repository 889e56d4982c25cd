package export

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// insideRow is one of a write that waits for a holder with a name that is no good.
func insideRow() Row {
	o := &observe.Observation{
		Time: 1, Pid: 5, Tid: 6, Comm: "w\x1b[2J", Dev: 8 << 20, Ino: 12, Pos0: 4096, Len0: 512, Blkbits: 12, Inside: true, InsideAt: record.InsideWait,
		LatencyNs: 3e9, SubmitNs: 3e9, WaitNs: 2e9, Incomplete: "it had not returned",
		Waits: []observe.Wait{{Ns: 2e9, Lock: record.LockExclusive, Parts: []observe.Part{
			{Cause: observe.CauseHeld, Mode: record.LockShared, Actor: observe.Actor{Op: observe.OpWrite, Comm: "h", Tid: 9}, Others: 1, Ns: 2e9},
		}}},
	}
	var r Row
	(&Maker{}).Fill(&r, o, &judge.Verdict{})
	return r
}

// A write that had not returned is listed, and counted once: by the counter of the probes.
func TestInsideIsNoWrite(t *testing.T) {
	var s Summary
	r := insideRow()
	s.Totals.Add(&r)
	s.Losses.Seen, s.Losses.Unfinished = 2, 2
	if s.Totals.Writes+s.Totals.Incomplete+s.Totals.WaitNs != 0 || s.Unaccounted() != 0 || s.Issued() != 2 || !s.Unproven() {
		t.Errorf("%+v", s)
	}
	const want = `UNFINISHED: 2 writes not seen to end
  w\x1b[2J (pid 5, tid 6): 512 bytes at 4096 of inode 12 on 8:0, waiting for i_rwsem exclusive for 2.00s, entered 3.00s ago
    waited 2.00s: h tid 9 and 1 other held it shared
  and 1 more
`
	if got := s.InsideText(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	b, err := s.JSON()
	if err != nil || !strings.Contains(string(b), `"stage":"i_rwsem","age_ns":3000000000`) {
		t.Errorf("%v %s", err, b)
	}
	if line := string(r.AppendJSON(nil)); !strings.Contains(line, `"inside":"i_rwsem","inside_ns":3000000000`) || !strings.Contains(line, `"ret":null`) || !strings.Contains(line, `"latency_ns":null`) {
		t.Errorf("%s", line)
	}
}

func TestParseStack(t *testing.T) {
	const asleep = "[<0>] io_schedule+0x46/0x70\n[<0>] __iomap_dio_rw+0x5c1/0x7a0\n[<0>] ext4_file_write_iter+0x27b/0x9d0 [ext4]\n"
	if stack, why := parseStack(asleep); len(stack) != 3 || why != "" || stack[0] != "io_schedule+0x46/0x70" {
		t.Errorf("%q %q", stack, why)
	}
	for text, want := range map[string]string{
		"": "does not sleep",
		"[<0>] futex_wait+0x46/0x70\n[<0>] do_syscall_64+0x5c1/0x7a0\n": "not in the write any more",
	} {
		if stack, why := parseStack(text); len(stack) > 0 || !strings.Contains(why, want) {
			t.Errorf("%q: %q %q", text, stack, why)
		}
	}
}
