package decode_test

import (
	"fmt"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// TestHolders: a write tells of a holder that is no write, and that tells of the writes for
// which it waited itself: those that were in flight when it began to. A write that waited for
// the lock then is none of them, and neither is one that had completed.
func TestHolders(t *testing.T) {
	const start = 10_000_000
	at := func(id, us uint64, text string) [][]byte {
		s := parseScript(t, fmt.Sprintf("entry pos=0 len=4096 isize=16384 id=%d tid=%d t0=%d ino=7 %s", id, id, start+us*1000, text))
		s.w.Latency = 900_000
		return s.raw()
	}
	queued := func(id, us uint64) [][]byte {
		s := parseScript(t, fmt.Sprintf("entry pos=0 len=4096 isize=16384 id=%d tid=%d t0=%d ino=7 caller=libaio\npass shared at=1\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn -529", id, id, start+us*1000))
		s.w.Latency = 20_000
		return s.raw()
	}
	done := func(id, us uint64) []byte {
		c := record.Complete{ID: id, T: start + us*1000, Ret: 4096}
		return c.Append(nil)
	}
	hold := record.Hold{
		Op: record.HoldFallocate, Arg: 0x3, Lock: record.LockExclusive, Flags: record.HolderQueued, T0: start + 90_000, From: start + 100_000, To: start + 700_000, QueuedNs: 10_000,
		DrainT: start + 110_000, DrainNs: 300_000, DrainCount: 3, Ino: 7, Tgid: 77, Tid: 78, Comm: [16]byte{'f', 's', 't', 'r', 'i', 'm'},
	}
	var got *observe.Observation
	told := ""
	j := judge.New(judge.Options{
		Seen: func(o *observe.Observation, _ *judge.Verdict) {
			if o.ID == 9 {
				got = o.Clone()
			}
		},
		Held: func(h *observe.Hold) { told += h.Op + " " },
	})
	first := hold // from here on holders are known to be recorded
	first.Ino, first.Op, first.DrainNs = 8, record.HoldRead, 0
	feedJudge(t, j, first.Append(nil))
	for _, raws := range [][][]byte{queued(1, 5), queued(2, 10), queued(3, 20)} {
		feedJudge(t, j, raws...)
	}
	late := parseScript(t, fmt.Sprintf("entry pos=0 len=4096 isize=16384 id=4 tid=4 t0=%d ino=7 caller=libaio\nwait 610000 at=710\npass shared at=710\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn -529", start+95_000))
	late.w.Latency = 720_000
	feedJudge(t, j, late.raw()...)
	feedJudge(t, j, done(1, 50), done(3, 390), done(2, 400), done(4, 900), hold.Append(nil))
	feedJudge(t, j, at(9, 95, "\nwait 610000 at=610\npass shared at=610\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn 4096")...)
	if got == nil || told != "direct-read fallocate:punch-hole " {
		t.Fatalf("told of %s, write %+v", told, got)
	}
	text := ""
	for _, p := range got.Waits[0].Parts {
		text += fmt.Sprintf("%s %s of %s %d: %d, held %d, before %d, queued %d, drain %d for %d", p.Cause, p.Op, p.Comm, p.Tid, p.Ns, p.HeldNs, p.BeforeNs, p.QueuedNs, p.DrainNs, p.DrainWrites)
		for _, a := range p.DrainedFor {
			text += fmt.Sprintf(" #%d", a.Write)
		}
		text += "; "
	}
	const want = "queued fallocate:punch-hole of fstrim 78: 5000, held 0, before 5000, queued 10000, drain 0 for 0; " +
		"held fallocate:punch-hole of fstrim 78: 600000, held 600000, before 0, queued 10000, drain 300000 for 2 #2 #3; " +
		"woken fallocate:punch-hole of fstrim 78: 5000, held 0, before 0, queued 0, drain 0 for 0; "
	if text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}
