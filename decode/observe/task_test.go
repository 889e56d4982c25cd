package observe

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The numbers of a task are those that the tracer sees; what an old record does not say
// stays unknown.
func TestTask(t *testing.T) {
	for _, c := range []struct {
		name string
		w    record.Write
		want Observation
		seen uint32
	}{
		{"first namespace", record.Write{Tgid: 100, Tid: 101}, Observation{Pid: 100, Tid: 101, ForeignKnown: true}, 100},
		{"another one", record.Write{Tgid: 100, Tid: 101, NsTgid: 5, NsTid: 6},
			Observation{Pid: 5, Tid: 6, GlobalPid: 100, GlobalTid: 101, ForeignKnown: true}, 5},
		{"not visible", record.Write{Tgid: 100, Tid: 101, NsTgid: record.PidHidden, NsTid: record.PidHidden},
			Observation{Pid: 100, Tid: 101, Foreign: true, ForeignKnown: true}, 0},
		{"old record", record.Write{Tgid: 100, Tid: 101, Head: record.FirstHead}, Observation{Pid: 100, Tid: 101}, 100},
	} {
		o := Observation{GlobalPid: 1, GlobalTid: 1, Foreign: true, ForeignKnown: true} // of the write before
		o.fillHead(&c.w, "")
		got := Observation{Pid: o.Pid, Tid: o.Tid, GlobalPid: o.GlobalPid, GlobalTid: o.GlobalTid, Foreign: o.Foreign, ForeignKnown: o.ForeignKnown}
		if got.Pid != c.want.Pid || got.Tid != c.want.Tid || got.GlobalPid != c.want.GlobalPid || got.GlobalTid != c.want.GlobalTid ||
			got.Foreign != c.want.Foreign || got.ForeignKnown != c.want.ForeignKnown {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if o.Thread() != 101 || o.Seen() != c.seen {
			t.Errorf("%s: thread %d, seen as %d", c.name, o.Thread(), o.Seen())
		}
	}
}
