package storm

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func seenAs(off, n, ret int64, flags uint32) trial.Seen {
	return trial.Seen{Observation: &observe.Observation{Pos0: off, Len0: n, Ret: ret, Flags: flags}}
}

// TestLedger books two writes: one of pwrite at 0+512, one of io_uring at 512+512.
func TestLedger(t *testing.T) {
	done, eagain := workload.Result{N: 512}, workload.Result{Err: unix.EAGAIN}
	first, second := seenAs(0, 512, 512, 0), seenAs(512, 512, 512, 0)
	retried := seenAs(512, 512, model.EAGAIN, model.IocbNowait)
	for _, tt := range []struct {
		name    string
		results [2]workload.Result
		flags   int // of both
		appends bool
		seen    []trial.Seen
		want    string // signatures
	}{
		{"right", [2]workload.Result{done, done}, 0, false, []trial.Seen{second, first}, ""},
		{"tried again, told before and after", [2]workload.Result{done, done}, 0, false, []trial.Seen{retried, second, first, retried}, ""},
		{"not seen", [2]workload.Result{done, done}, 0, false, []trial.Seen{first}, "not seen"},
		{"only the first try", [2]workload.Result{done, done}, 0, false, []trial.Seen{first, retried}, "not seen"},
		{"twice", [2]workload.Result{done, done}, 0, false, []trial.Seen{first, second, first}, "twice"},
		{"not made", [2]workload.Result{done, done}, 0, false, []trial.Seen{first, second, seenAs(4096, 512, 512, 0)}, "stray"},
		{"another result", [2]workload.Result{done, done}, 0, false, []trial.Seen{seenAs(0, 512, 100, 0), second}, "result"},
		{"pwrite does not try again", [2]workload.Result{done, done}, 0, false,
			[]trial.Seen{seenAs(0, 512, model.EAGAIN, model.IocbNowait), first, second}, "result, twice"},
		{"-EAGAIN to a blocking write", [2]workload.Result{eagain, done}, 0, false,
			[]trial.Seen{seenAs(0, 512, model.EAGAIN, 0), second}, "refused"},
		{"short", [2]workload.Result{{N: 100}, done}, 0, false, []trial.Seen{seenAs(0, 512, 100, 0), second}, "refused"},
		{"-EAGAIN to NOWAIT writes", [2]workload.Result{eagain, eagain}, unix.RWF_NOWAIT, false,
			[]trial.Seen{seenAs(0, 512, model.EAGAIN, model.IocbNowait), retried}, ""},
		{"-EOPNOTSUPP is -EAGAIN to the caller of io_uring", [2]workload.Result{{Err: unix.EOPNOTSUPP}, eagain}, unix.RWF_NOWAIT, false,
			[]trial.Seen{seenAs(0, 512, model.EOPNOTSUPP, model.IocbNowait), seenAs(512, 512, model.EOPNOTSUPP, model.IocbNowait)}, ""},
		{"and not to that of pwritev2", [2]workload.Result{eagain, eagain}, unix.RWF_NOWAIT, false,
			[]trial.Seen{seenAs(0, 512, model.EOPNOTSUPP, model.IocbNowait), retried}, "result"},
		{"-EIO to a NOWAIT write", [2]workload.Result{{Err: unix.EIO}, done}, unix.RWF_NOWAIT, false,
			[]trial.Seen{seenAs(0, 512, -5, model.IocbNowait), second}, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ws := []writer{
				{engine: workload.Pwrite, depth: 1, pieces: []piece{{off: 0, len: 512, flags: tt.flags}}},
				{engine: workload.IOUring, depth: 4, pieces: []piece{{off: 512, len: 512, flags: tt.flags}}},
			}
			l := newLedger([]entry{{w: &ws[0], result: tt.results[0]}, {w: &ws[1], result: tt.results[1]}}, tt.appends)
			for i := range tt.seen {
				l.add(&tt.seen[i])
			}
			var got []string
			for _, p := range l.close() {
				got = append(got, p.signature)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("problems: %s; want: %s", s, tt.want)
			}
		})
	}
}

// TestLedgerAppends: the position that an append is seen with is not what was asked.
func TestLedgerAppends(t *testing.T) {
	w := writer{engine: workload.IOUring, depth: 1, pieces: []piece{{off: 4096, len: 512}, {off: 4096, len: 1024}}}
	l := newLedger([]entry{{w: &w, result: workload.Result{N: 512}}, {w: &w, i: 1, result: workload.Result{N: 1024}}}, true)
	for _, s := range []trial.Seen{seenAs(4096, 512, model.EAGAIN, model.IocbNowait), seenAs(100, 512, 512, 0), seenAs(612, 1024, 1024, 0)} {
		l.add(&s)
	}
	if p := l.close(); len(p) > 0 || l.open != 0 || l.entries[0].last.Observation.Ret != 512 {
		t.Errorf("%+v, %d open", p, l.open)
	}
}
