package decode_test

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestStopped: one row for each point at which a write can end before it is written. The
// sequences are those of prove/matrix/testdata/requests on 6.1, 6.12 and 7.x.
func TestStopped(t *testing.T) {
	const (
		nowait    = "entry pos=8192 len=4096 isize=16384 nowait caller=io_uring\n"
		blocking  = "entry pos=8192 len=4096 isize=16384\n"
		extending = "entry pos=16384 len=4096 isize=16384 nowait\n"
		toShared  = "pass shared\nfmod kiocb\ndio shared\n"
		toAlone   = "pass exclusive\nfmod file\ndio exclusive wait\n"
	)
	for _, tt := range []struct {
		name, script    string
		refused, failed string
	}{
		{"written", nowait + toShared + "map 8192 4096 mapped\nreturn 4096", "", ""},
		{"trylock", nowait + "return -11", "trylock", ""},
		{"needs exclusive", nowait + "pass shared\nlookup 2 1 = 0 hole\nreturn -11", "needs-exclusive", ""},
		{"lookup not cached", nowait + "pass shared\nlookup 2 1 = -11 hole flags=0x800\nreturn -11", "lookup", ""},
		{"has to wait", extending + "pass exclusive\nreturn -11", "must-wait", ""},
		{"has to wait, 6.1", extending + "pass exclusive\nfmod file\nreturn -11", "must-wait", ""},
		{"timestamps", nowait + "pass shared\nfmod kiocb ret=-11\nreturn -11", "timestamps", ""},
		{"page cache", nowait + toShared + "return -11", "page-cache", ""},
		{"mapping not cached", nowait + toShared + "map error=-11 looked=0x800 found=-11\nreturn -11", "mapping", ""},
		{"hole", nowait + toShared + "map error=-11\nreturn -11", "allocation", ""},
		{"buffered", nowait + "buffered 8192 4096\nreturn -95", "buffered", ""},
		{"request of the device", nowait + toShared + "map 8192 4096 mapped\nreturn -529\ncomplete -11", "device", ""},

		{"shutdown", blocking + "return -5", "", "entry"},
		{"RLIMIT_FSIZE", blocking + "pass exclusive count=-27\nreturn -27", "", "checks"},
		{"timestamps, error", blocking + "pass shared\nfmod kiocb ret=-5\nreturn -5", "", "timestamps"},
		{"sectors", blocking + toAlone + "map 8192 4096 mapped\nreturn -22", "", "submission"},
		{"no space", blocking + toAlone + "map error=-28 alloc=3\nreturn -28", "", "allocation"},
		{"extents not readable", blocking + toShared + "map error=-5\nreturn -5", "", "mapping"},
		{"writeback", blocking + toShared + "return -5", "", "page-cache"},
		{"I/O error", blocking + toShared + "map 8192 4096 mapped\nreturn -5", "", "device"},
		{"buffered, error", blocking + "buffered 8192 4096\ncopy\nreturn -28", "", "buffered"},
		{"not NOWAIT", blocking + toShared + "map error=-11\nreturn -11", "", "allocation"},
		{"incomplete", nowait + toShared + "map error=-11\nreturn -11\nbut lost=1", "unknown", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o *observe.Observation
			j := judge.New(judge.Options{Variant: model.Linux73, Seen: func(got *observe.Observation, _ *judge.Verdict) { o = got.Clone() }})
			for _, raw := range parseScript(t, tt.script).raw() {
				if err := j.Feed(raw); err != nil {
					t.Fatal(err)
				}
			}
			j.Flush()
			name := func(p observe.Point, is bool) string {
				if !is {
					return ""
				}
				return p.String()
			}
			if got := name(o.Refused()); got != tt.refused {
				t.Errorf("refused %q, want %q", got, tt.refused)
			}
			if got := name(o.Failed()); got != tt.failed {
				t.Errorf("failed %q, want %q", got, tt.failed)
			}
		})
	}
}

// TestUnwritten: what was asked for and not written, of writes that are over.
func TestUnwritten(t *testing.T) {
	for _, tt := range []struct {
		o    observe.Observation
		want int64
	}{
		{observe.Observation{Len0: 4096, Ret: 4096, Completed: true}, 0},
		{observe.Observation{Len0: 8192, Ret: 4096, Completed: true}, 4096},
		{observe.Observation{Len0: 8192, Ret: -28, Completed: true}, 8192},
		{observe.Observation{Len0: 8192, Ret: -529, Queued: true}, 0},
	} {
		if got := tt.o.Unwritten(); got != tt.want {
			t.Errorf("%d of %d: %d, want %d", tt.o.Ret, tt.o.Len0, got, tt.want)
		}
	}
}
