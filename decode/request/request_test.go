package request

import (
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// made is a write of 4096 bytes at 8192 that took 1 us.
func made(at uint64, tid uint32, caller record.Caller, flags uint32, ret int64) *observe.Observation {
	return &observe.Observation{
		Time: at, ID: at, Pid: 7, Tid: tid, Comm: "writer", Caller: caller, Flags: flags, Ino: 12, Pos0: 8192, Len0: 4096,
		Ret: ret, SubmitRet: ret, Completed: true, LatencyNs: 1000, SubmitNs: 1000,
		Stages: record.StageEntry | record.StageReturn, Blkbits: 12,
	}
}

const (
	uring  = record.CallerIOUring
	iowq   = record.CallerIOWQ
	nowait = model.IocbNowait
	ms     = 1_000_000
)

// refused is a first try of io_uring.
func refused(at uint64) *observe.Observation { return made(at, 7, uring, nowait, model.EAGAIN) }

// retried is what io-wq makes of it.
func retried(at uint64) *observe.Observation {
	o := made(at, 9, iowq, 0, 4096)
	o.Comm = "iou-wrk-7"
	return o
}

func moved(o *observe.Observation, change func(*observe.Observation)) *observe.Observation {
	change(o)
	return o
}

// TestTies: which tries are of one request, as they come.
func TestTies(t *testing.T) {
	type tie struct {
		request uint64 // the ID of its first try
		try     int
	}
	for _, tt := range []struct {
		name   string
		writes []*observe.Observation
		want   []tie
	}{
		{"io_uring and io-wq", []*observe.Observation{refused(10), retried(2000)}, []tie{{10, 1}, {10, 2}}},
		{"written at once", []*observe.Observation{made(10, 7, uring, nowait, 4096), made(2000, 7, uring, nowait, 4096)}, []tie{{10, 1}, {2000, 1}}},
		{"io-wq alone", []*observe.Observation{retried(2000)}, []tie{{2000, 0}}},
		{"io-wq of SQPOLL tries first", []*observe.Observation{made(10, 8, iowq, nowait, model.EAGAIN), retried(2000)}, []tie{{10, 1}, {10, 2}}},
		{"a pool of the application", []*observe.Observation{made(10, 7, record.CallerSync, nowait, model.EAGAIN), made(2000, 8, record.CallerSync, 0, 4096)}, []tie{{10, 1}, {10, 2}}},
		{"-EOPNOTSUPP is a refusal, too", []*observe.Observation{made(10, 7, uring, nowait, model.EOPNOTSUPP), retried(2000)}, []tie{{10, 1}, {10, 2}}},
		{"refused again and again", []*observe.Observation{refused(10), refused(2000), refused(4000), retried(6000)}, []tie{{10, 1}, {10, 2}, {10, 3}, {10, 4}}},
		{"two at once, the oldest first",
			[]*observe.Observation{refused(10), moved(refused(20), func(o *observe.Observation) { o.Tid = 8 }), retried(2000), retried(3000)},
			[]tie{{10, 1}, {20, 1}, {10, 2}, {20, 2}}},
		{"another file", []*observe.Observation{refused(10), moved(retried(2000), func(o *observe.Observation) { o.Ino = 13 })}, []tie{{10, 1}, {2000, 0}}},
		{"another position", []*observe.Observation{refused(10), moved(retried(2000), func(o *observe.Observation) { o.Pos0 = 0 })}, []tie{{10, 1}, {2000, 0}}},
		{"another length", []*observe.Observation{refused(10), moved(retried(2000), func(o *observe.Observation) { o.Len0 = 512 })}, []tie{{10, 1}, {2000, 0}}},
		{"another process", []*observe.Observation{refused(10), moved(retried(2000), func(o *observe.Observation) { o.Pid = 8 })}, []tie{{10, 1}, {2000, 0}}},
		{"before the first has ended", []*observe.Observation{refused(10), retried(900)}, []tie{{10, 1}, {900, 0}}},
		{"much later", []*observe.Observation{refused(10), retried(2000 + maxApart)}, []tie{{10, 1}, {2000 + maxApart, 0}}},
		{"O_APPEND has moved the position",
			[]*observe.Observation{
				moved(refused(10), func(o *observe.Observation) { o.Flags |= model.IocbAppend; o.Pos0 = 0 }),
				moved(retried(2000), func(o *observe.Observation) { o.Flags |= model.IocbAppend }),
			}, []tie{{10, 1}, {10, 2}}},
		{"a refusal by another thread is none of the first", []*observe.Observation{refused(10), moved(refused(2000), func(o *observe.Observation) { o.Tid = 8 })}, []tie{{10, 1}, {2000, 1}}},
		{"one much later is none", []*observe.Observation{refused(10), refused(20 * ms)}, []tie{{10, 1}, {20 * ms, 1}}},
		{"the loop driver's are its own, whoever submits",
			[]*observe.Observation{
				made(10, 7, record.CallerLoop, nowait, model.EAGAIN),
				moved(made(2000, 99, record.CallerLoop, 0, 4096), func(o *observe.Observation) { o.Pid = 99 }),
			}, []tie{{10, 1}, {10, 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := New()
			var got, want []tie
			for i, o := range tt.writes {
				tr.Add(o)
				got = append(got, tie{o.Request, o.Try})
				want = append(want, tie{numberOf(tt.want[i].request), tt.want[i].try})
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

// TestOwner: a retry by io-wq has the name of the thread that asked, and the beginning of
// the first try.
func TestOwner(t *testing.T) {
	tr, o := New(), retried(2000)
	tr.Add(refused(10))
	tr.Add(o)
	if o.Comm != "writer" || o.RequestBegan != 10 {
		t.Errorf("%q since %d", o.Comm, o.RequestBegan)
	}
}

// TestStats: what is not known is counted apart.
func TestStats(t *testing.T) {
	tr := New()
	for _, o := range []*observe.Observation{
		refused(10), retried(2000), retried(3000), moved(refused(5000), func(o *observe.Observation) { o.Pos0 = 0 }), made(9000, 7, uring, nowait, 4096),
	} {
		tr.Add(o)
	}
	if want := (Stats{Tries: 5, Refused: 2, Retried: 1, Unknown: 1}); tr.Stats != want || want.Requests() != 4 || want.Abandoned() != 1 {
		t.Errorf("%+v", tr.Stats)
	}
}

// TestBounds: refused writes that nobody makes again are forgotten, the oldest first, and
// the memory stays what it is; and those that are too old cost no place.
func TestBounds(t *testing.T) {
	tr := New()
	const n = 3*maxOpen + 5
	for i := range uint64(n) {
		tr.Add(moved(refused(i*2000), func(o *observe.Observation) { o.Pos0 = int64(i) * 4096 }))
	}
	if len(tr.oldest) > maxOpen || len(tr.spare) > maxOpen || tr.Stats.Evicted != n-maxOpen {
		t.Errorf("%d kept, %d spare, %d forgotten", len(tr.oldest), len(tr.spare), tr.Stats.Evicted)
	}
	last := moved(retried(n*2000), func(o *observe.Observation) { o.Pos0 = (n - 1) * 4096 })
	if tr.Add(last); last.Try != 2 {
		t.Errorf("the last is not known: %+v", last)
	}
	evicted := tr.Stats.Evicted
	if tr.Add(refused(n*2000 + 2*maxKept)); len(tr.oldest) != 1 || tr.Stats.Evicted != evicted {
		t.Errorf("%d kept, %d forgotten", len(tr.oldest), tr.Stats.Evicted-evicted)
	}
}

// TestNumber: numbers of requests differ where ids do, and a float64 holds them.
func TestNumber(t *testing.T) {
	seen := map[uint64]bool{}
	for _, id := range []uint64{0, 1, 2, 1 << 48, 1<<48 + 1, 8191 << 48, 8191<<48 + 1<<39} {
		n := numberOf(id)
		if seen[n] || uint64(float64(n)) != n {
			t.Errorf("id %#x: %d", id, n)
		}
		seen[n] = true
	}
}

// BenchmarkTie is the price of a refused try and the one after it.
func BenchmarkTie(b *testing.B) {
	tr, first, second := New(), refused(0), retried(0)
	for i := 0; b.Loop(); i++ {
		first.Time, second.Time = uint64(i)*4000, uint64(i)*4000+2000
		tr.Add(first)
		tr.Add(second)
	}
}
