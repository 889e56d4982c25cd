package rowfilter

import (
	"cmp"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
)

// holderFields ask for whom a write waited for i_rwsem. It is enough that one of them is
// as asked for; the contrary has to hold for all, and all have to be known.
var holderFields = []field{
	{name: "holder", kind: text, values: "text, such as write, direct-read or fallocate*", actor: func(a *observe.Actor) string { return a.Op }},
	{name: "holdercomm", kind: text, actor: func(a *observe.Actor) string { return a.Comm }},
	{name: "holderpid", kind: count, actorNumber: func(a *observe.Actor) int64 { return int64(a.Pid) }},
}

// matchHolders makes the condition of one of them.
func (f *field) matchHolders(t *token) (flag, bool) {
	if f.actor != nil {
		is, want, ok := textTest(t)
		return holders(func(a *observe.Actor) bool { return is(f.actor(a)) }, want), ok
	}
	n, ok := f.kind.parse(t.value)
	if t.op == "!=" {
		return holders(func(a *observe.Actor) bool { return f.actorNumber(a) == n }, false), ok
	}
	holds := holds[t.op]
	return holders(func(a *observe.Actor) bool { return holds(cmp.Compare(f.actorNumber(a), n)) }, true), ok
}

// holders looks at all for whom a write waited.
func holders(is func(*observe.Actor) bool, want bool) flag {
	return func(r *export.Row) (on, known bool) {
		all := r.WaitNs.Known
		for i := range r.Waits {
			all = all && len(r.Waits[i].Parts) > 0
			for k := range r.Waits[i].Parts {
				p := &r.Waits[i].Parts[k]
				if p.Op == "" {
					all = false
					continue
				}
				found := is(&p.Actor)
				for n := range p.With {
					found = found || is(&p.With[n])
				}
				if found {
					return want, true
				}
				all = all && p.Others == len(p.With)
			}
		}
		return !want, all
	}
}
