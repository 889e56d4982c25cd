package export

import (
	"math/bits"
	"strconv"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// AppendJSON appends r as one JSON object with a line feed. Every field is there
// in every row; a fact that is not known is null. Numbers are exact integers.
func (r *Row) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"time_ns":`...)
	dst = strconv.AppendUint(dst, r.TimeNs, 10)
	dst = append(dst, `,"pid":`...)
	dst = strconv.AppendUint(dst, uint64(r.Pid), 10)
	dst = append(dst, `,"tid":`...)
	dst = strconv.AppendUint(dst, uint64(r.Tid), 10)
	dst = append(dst, `,"comm":`...)
	dst = appendQuoted(dst, r.Comm)
	dst = append(dst, `,"dev":"`...)
	dst = appendDev(dst, r.Dev)
	dst = append(dst, `","ino":`...)
	dst = strconv.AppendUint(dst, r.Ino, 10)
	dst = append(dst, `,"path":`...)
	dst = appendText(dst, r.Path)
	dst = append(dst, `,"pos":`...)
	dst = strconv.AppendInt(dst, r.Pos, 10)
	dst = append(dst, `,"len":`...)
	dst = strconv.AppendInt(dst, r.Len, 10)
	dst = append(dst, `,"flags":[`...)
	dst = appendBits(dst, r.KiFlags, kiFlagNames[:], kiFlagBits)
	dst = append(dst, `],"unaligned":`...)
	dst = appendBool(dst, r.Unaligned)
	dst = append(dst, `,"extending":`...)
	dst = appendBool(dst, r.Extending)
	dst = append(dst, `,"lock":`...)
	dst = appendLock(dst, r.Lock)
	dst = append(dst, `,"passes":`...)
	dst = appendInt(dst, r.Passes)
	dst = r.appendLists(dst)
	dst = append(dst, `,"fallback_bytes":`...)
	dst = appendInt(dst, r.FallbackBytes)
	dst = append(dst, `,"ret":`...)
	dst = appendInt(dst, r.Ret)
	dst = append(dst, `,"wait_ns":`...)
	dst = appendInt(dst, r.WaitNs)
	dst = append(dst, `,"latency_ns":`...)
	dst = appendInt(dst, r.LatencyNs)
	dst = append(dst, `,"slept":`...)
	dst = appendBool(dst, r.Slept)
	dst = r.appendSleeps(dst)
	dst = r.appendJudgement(dst)
	dst = append(dst, `,"stages":[`...)
	dst = appendBits(dst, uint32(r.Stages), stageNames, len(stageNames))
	dst = append(dst, `],"incomplete":`...)
	dst = appendText(dst, r.Incomplete)
	dst = append(dst, `,"truncated":`...)
	dst = strconv.AppendBool(dst, r.Truncated)
	dst = append(dst, `,"caller":`...)
	if r.Caller == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = appendName(dst, r.Caller.String())
	}
	return append(r.Facts.appendJSON(dst), '}', '\n')
}

// appendSleeps appends the sleeps of a NOWAIT write, which are not known where it is
// not known whether it slept.
func (r *Row) appendSleeps(dst []byte) []byte {
	dst = append(dst, `,"sleeps":`...)
	return appendList(dst, r.Slept.Known, len(r.Sleeps), func(dst []byte, i int) []byte {
		s := &r.Sleeps[i]
		dst = appendQuoted(append(dst, `{"cause":`...), s.Cause.String())
		dst = appendQuoted(append(dst, `,"phase":`...), s.PhaseName())
		dst = append(dst, `,"ns":`...)
		return append(strconv.AppendUint(dst, s.Ns, 10), '}')
	})
}

// appendLists appends lookups to zeroed, in the order of the kernel.
func (r *Row) appendLists(dst []byte) []byte {
	dst = append(dst, `,"lookups":`...)
	dst = appendList(dst, r.ListsKnown, len(r.Lookups), func(dst []byte, i int) []byte {
		l := &r.Lookups[i]
		dst = append(dst, `{"lblk":`...)
		dst = strconv.AppendUint(dst, uint64(l.Lblk), 10)
		dst = append(dst, `,"len":`...)
		dst = strconv.AppendUint(dst, uint64(l.Len), 10)
		dst = append(dst, `,"ret":`...)
		dst = strconv.AppendInt(dst, int64(l.Ret), 10)
		dst = append(dst, `,"state":`...)
		dst = appendName(dst, l.State.String())
		dst = append(dst, `,"pass":`...)
		dst = strconv.AppendInt(dst, int64(l.Pass)+1, 10)
		dst = append(dst, `,"flags":`...)
		dst = strconv.AppendUint(dst, uint64(l.Flags), 10)
		return append(dst, '}')
	})
	dst = append(dst, `,"drained":`...)
	dst = appendBool(dst, r.Drained)
	dst = append(dst, `,"force_wait":`...)
	dst = appendBool(dst, r.ForceWait)
	dst = append(dst, `,"mappings":`...)
	dst = appendList(dst, r.ListsKnown, len(r.Mappings), func(dst []byte, i int) []byte {
		return appendMapping(dst, &r.Mappings[i])
	})
	dst = append(dst, `,"zeroed":`...)
	return appendList(dst, r.ListsKnown, len(r.Zeroed), func(dst []byte, i int) []byte {
		z := &r.Zeroed[i]
		dst = append(dst, `{"pos":`...)
		dst = strconv.AppendInt(dst, z.Pos, 10)
		dst = append(dst, `,"len":`...)
		dst = strconv.AppendInt(dst, z.Len, 10)
		dst = append(dst, `,"lock":`...)
		dst = appendMode(dst, z.Lock)
		dst = append(dst, `,"in_flight":`...)
		dst = strconv.AppendUint(dst, uint64(z.DioCount), 10)
		return append(appendIomap(dst, z.Type, z.Flags), '}')
	})
}

// appendMapping appends one mapping. A failed one has no place, and the error
// in place of its type.
func appendMapping(dst []byte, m *observe.Mapping) []byte {
	if m.Err != 0 {
		dst = append(dst, `{"pos":null,"len":null,"type":"`...)
		dst = appendResult(dst, int64(m.Err))
		dst = append(dst, `","flags":[]`...)
		return appendAlloc(dst, m)
	}
	dst = append(dst, `{"pos":`...)
	dst = strconv.AppendInt(dst, m.Offset, 10)
	dst = append(dst, `,"len":`...)
	dst = strconv.AppendInt(dst, m.Length, 10)
	return appendAlloc(appendIomap(dst, m.Type, m.Flags), m)
}

// appendJudgement appends variant to why.
func (r *Row) appendJudgement(dst []byte) []byte {
	dst = append(dst, `,"variant":`...)
	dst = appendText(dst, r.Variant)
	dst = append(dst, `,"verdict":`...)
	if !r.Verdict.Known {
		return append(dst, `null,"rules":null,"hazards":null,"expected":null,"why":null`...)
	}
	dst = appendName(dst, r.Verdict.V.String())
	dst = append(dst, `,"rules":`...)
	dst = appendStrings(dst, r.Rules)
	dst = append(dst, `,"hazards":`...)
	dst = appendStrings(dst, r.Hazards)
	dst = append(dst, `,"expected":`...)
	dst = appendExpected(dst, r.Expected)
	dst = append(dst, `,"why":`...)
	return appendStrings(dst, r.Why)
}

func appendExpected(dst []byte, e Opt[judge.Expected]) []byte {
	if !e.Known {
		return append(dst, "null"...)
	}
	lock := ExpectedLock(e.V)
	dst = append(dst, `{"lock":`...)
	dst = appendLock(dst, Some(lock))
	dst = append(dst, `,"passes":`...)
	dst = strconv.AppendInt(dst, int64(e.V.Passes), 10)
	dst = append(dst, `,"drained":`...)
	dst = strconv.AppendBool(dst, e.V.Drained)
	dst = append(dst, `,"force_wait":`...)
	dst = appendBool(dst, Opt[bool]{V: e.V.ForceWait, Known: lock != NoLock})
	dst = append(dst, `,"ret":`...)
	// 0 stands for a result that depends on the device.
	dst = appendInt(dst, Opt[int64]{V: e.V.Ret, Known: e.V.Ret != 0})
	return append(dst, '}')
}

func appendLock(dst []byte, l Opt[Lock]) []byte {
	if !l.Known {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = append(dst, l.V.String()...)
	return append(dst, '"')
}

func appendBool(dst []byte, b Opt[bool]) []byte {
	if !b.Known {
		return append(dst, "null"...)
	}
	return strconv.AppendBool(dst, b.V)
}

func appendInt[T int | int64 | uint64](dst []byte, n Opt[T]) []byte {
	switch {
	case !n.Known:
		return append(dst, "null"...)
	case n.V < 0:
		return strconv.AppendInt(dst, int64(n.V), 10)
	}
	return strconv.AppendUint(dst, uint64(n.V), 10)
}

// appendText appends a string that is null when it is empty.
func appendText(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendQuoted(dst, s)
}

// appendBits appends the names of the low bits of flags as JSON strings.
func appendBits(dst []byte, flags uint32, names []string, width int) []byte {
	n := 0
	for left := flags & (1<<width - 1); left != 0; left &= left - 1 {
		dst = append(appendComma(dst, n), '"')
		dst = appendBit(dst, names, bits.TrailingZeros32(left))
		dst = append(dst, '"')
		n++
	}
	return dst
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		dst = appendQuoted(appendComma(dst, i), s)
	}
	return append(dst, ']')
}

// appendList appends n items, or null when nothing was seen and that proves nothing.
func appendList(dst []byte, known bool, n int, item func([]byte, int) []byte) []byte {
	if n == 0 && !known {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range n {
		dst = item(appendComma(dst, i), i)
	}
	return append(dst, ']')
}

func appendComma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}
