package whatif

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Origin is where the trace has a fact from.
type Origin uint8

// Origins, the surest first.
const (
	// FromCheck: the kernel asked in its check phase what the other one asks.
	FromCheck Origin = iota
	// FromOther: another lookup of the check phase tells it.
	FromOther
	// FromIomap: only ext4_iomap_begin looked, after the lock had been chosen.
	FromIomap
	numOrigins = iota
)

var originTexts = [numOrigins]string{
	"from the check phase", "from another lookup of the check phase", "from the iomap phase",
}

func (o Origin) String() string { return originTexts[o] }

// answer is what one lookup would have returned.
type answer struct {
	model.Result
	from Origin
	// either says that it may as well have been a hole as unwritten.
	either bool
}

// answerOf finds in o what ext4_map_blocks would have answered to q in a pass.
func answerOf(o *observe.Observation, pass int, q model.Query) (answer, bool) {
	pass = min(pass, len(o.Passes)-1)
	if pass < 0 {
		return answer{}, false
	}
	seen := o.Passes[pass].Lookups
	for i := range seen {
		if l := &seen[i]; l.Lblk == q.Lblk && l.Len == q.Len && l.ArgFlags == q.Flags {
			return answer{Result: model.Result{Ret: l.Ret, MFlags: l.MFlags}}, true
		}
	}
	if q.Flags&model.GetBlocksCachedNowait != 0 {
		return answer{}, false // whether the cache held it is not in the trace
	}
	for i := range seen {
		if a, ok := fromLookup(&seen[i], q); ok {
			return a, true
		}
	}
	for i := range o.Mappings {
		if a, ok := fromMapping(o, &o.Mappings[i], q); ok {
			return a, true
		}
	}
	return answer{}, false
}

// fromLookup answers q by a lookup that asked for other blocks or with other flags.
func fromLookup(l *observe.Lookup, q model.Query) (answer, bool) {
	if l.Ret < 0 || l.ArgFlags&model.GetBlocksCachedNowait != 0 || q.Lblk < l.Lblk {
		return answer{}, false
	}
	skip := q.Lblk - l.Lblk
	if l.Ret == 0 {
		if skip >= l.OutLen {
			return answer{}, false
		}
		return answer{Result: model.Result{MFlags: l.MFlags}, from: FromOther}, true
	}
	found := uint32(l.Ret)
	if skip >= found || found == l.Len && found-skip < q.Len {
		return answer{}, false // it may go on behind what was asked for
	}
	return answer{Result: model.Result{Ret: int32(min(found-skip, q.Len)), MFlags: l.MFlags}, from: FromOther}, true
}

// fromMapping answers q by a mapping that the write got. What was there before an
// allocation is told by the lookup inside ext4_iomap_begin.
func fromMapping(o *observe.Observation, m *observe.Mapping, q model.Query) (answer, bool) {
	pos := int64(q.Lblk) << o.Blkbits
	if m.Err != 0 || pos < m.Offset || pos >= m.Offset+m.Length {
		return answer{}, false
	}
	n := uint32(min((m.Offset+m.Length-pos)>>o.Blkbits, int64(q.Len)))
	a := answer{from: FromIomap}
	switch {
	case m.Type == model.IomapMapped && m.Flags&model.IomapFNew == 0 && !m.Allocated():
		a.Ret, a.MFlags = int32(n), model.MapMapped
	case m.Type == model.IomapUnwritten && !m.Allocated():
		a.Ret, a.MFlags = int32(n), model.MapUnwritten
	case m.Allocated() && m.LookedUp && m.LookupRet > 0:
		// Blocks that are there are allocated again only when they are unwritten.
		if first := uint32(m.Offset >> o.Blkbits); uint32(m.LookupRet) > q.Lblk-first {
			n = min(n, uint32(m.LookupRet)-(q.Lblk-first))
		}
		a.Ret, a.MFlags = int32(n), model.MapUnwritten
	case m.Allocated() && m.LookedUp && m.LookupRet == 0:
	case m.Allocated():
		a.Ret, a.MFlags, a.either = int32(n), model.MapUnwritten, true
	default:
		return answer{}, false
	}
	return a, true
}
