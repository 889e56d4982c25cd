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
// write failed, fell short, or is not complete.
func (o *Observation) ExpectedZeroed() ([2]model.Range, bool) {
	var want [2]model.Range
	p := o.LastPass()
	if p == nil {
		return want, false
	}
	end := p.Pos + p.Count
	if !o.Completed || o.Ret != p.Count || o.Buffered != nil || len(o.Mappings) == 0 {
		return want, false
	}
	at := p.Pos
	for i := range o.Mappings {
		m := &o.Mappings[i]
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

// LockName is the mode of i_rwsem in words.
func LockName(l record.Lock) string {
	switch l {
	case record.LockShared:
		return "shared"
	case record.LockExclusive:
		return "exclusive"
	default:
		return "unknown"
	}
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
