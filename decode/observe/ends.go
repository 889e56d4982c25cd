package observe

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Ends is where o ended, in the words of a decision: an end of the check phase or
// what followed it.
func (o *Observation) Ends() string {
	switch {
	case o.Dio:
		for i := range o.Mappings {
			if err := o.Mappings[i].Err; err != 0 {
				return fmt.Sprintf("iomap_dio_rw entered, mapping failed with %d", err)
			}
		}
		return "iomap_dio_rw entered"
	case o.Buffered != nil:
		return "ext4_buffered_write_iter entered"
	case o.Stages.Has(record.StageFmod):
		return fmt.Sprintf("%d after %s was called", o.SubmitRet, FmodName(o.Fmod))
	case len(o.Passes) == 0:
		return fmt.Sprintf("%d before the write checks", o.SubmitRet)
	default:
		return fmt.Sprintf("%d from the write checks", o.SubmitRet)
	}
}

// ExpectedZeroed is the parts of blocks that have to be zeroed around o, given the
// mappings that it got. The second result is false when nothing is predicted: the
// write failed, fell short, or not all of it was seen.
func (o *Observation) ExpectedZeroed() ([2]model.Range, bool) {
	var want [2]model.Range
	p := o.LastPass()
	if p == nil {
		return want, false
	}
	end := p.Pos + p.Count
	if !o.Completed || o.Ret != p.Count || o.Buffered != nil || len(o.Mappings) == 0 || o.Lacks(record.CutMaps|record.CutZeroed) {
		return want, false
	}
	at := p.Pos
	for i := range o.Mappings {
		m := &o.Mappings[i]
		if len(o.Summed) > 0 && i == len(o.Mappings)-1 {
			n, whole := o.summedBytes()
			if !whole || i == 0 { // the head depends on the first mapping
				return want, false
			}
			at += n
		}
		if m.Err != 0 || m.Offset > at || m.Offset+m.Length <= at {
			return want, false
		}
		if i == 0 {
			want[0] = model.Head(p.Pos, o.Blkbits, m.Type, m.Flags)
		}
		at = m.Offset + m.Length
		if at >= end {
			want[1] = model.Tail(end, p.ISize, o.Blkbits, m.Type, m.Flags)
			return want, i == len(o.Mappings)-1
		}
	}
	return want, false
}

// Async is whether a caller gave a ki_complete, so that its write may be queued.
func Async(c record.Caller) model.Answer {
	switch c {
	case record.CallerUnknown:
		return model.Unknown
	case record.CallerSync, record.CallerNFSD, record.CallerKthread:
		return model.No
	default:
		return model.Yes
	}
}

// Mode is a recorded mode of i_rwsem as the model has it; Unlocked for one that is not
// known.
func Mode(l record.Lock) model.Mode {
	switch l {
	case record.LockShared:
		return model.Shared
	case record.LockExclusive:
		return model.Exclusive
	default:
		return model.Unlocked
	}
}

// LockOf is a mode of the model as it is recorded; LockUnknown for Unlocked.
func LockOf(m model.Mode) record.Lock {
	switch m {
	case model.Shared:
		return record.LockShared
	case model.Exclusive:
		return record.LockExclusive
	default:
		return record.LockUnknown
	}
}

// LockName is a recorded mode of i_rwsem in words.
func LockName(l record.Lock) string {
	if m := Mode(l); m != model.Unlocked {
		return m.String()
	}
	return "unknown"
}

// FmodName is the function that updated the timestamps.
func FmodName(f record.Fmod) string {
	switch f {
	case record.FmodFile:
		return "file_modified"
	case record.FmodKiocb:
		return "kiocb_modified"
	default:
		return "none"
	}
}
