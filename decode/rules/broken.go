package rules

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Conditions are what the rules depend on besides the observation.
type Conditions struct {
	// Unprobed are the stages whose probes could not be attached. A rule that needs
	// one of them is not judged.
	Unprobed record.Stages
	// EntryAlignment is set for a kernel that judges the alignment of a write once,
	// at its entry, and not in every pass (6.1; E-append).
	EntryAlignment bool
}

// ConditionsOf are those of a kernel of this variant.
func ConditionsOf(v model.Variant, unprobed record.Stages) Conditions {
	return Conditions{Unprobed: unprobed, EntryAlignment: !v.Has(model.UnalignedShared)}
}

// Broken is the set of rules that o breaks, of those that the observation alone
// decides: R1 to R5 and R11 to R13. It does not depend on a variant, so it holds
// rules that the kernel of o may not promise. An observation that cannot be judged
// breaks none.
func Broken(o *observe.Observation, c Conditions) Set {
	if o.Unjudged() != "" {
		return 0
	}
	return BrokenBy(o, c)
}

// BrokenBy is Broken for an observation that can be judged.
func BrokenBy(o *observe.Observation, c Conditions) Set {
	var out Set
	if p := o.LastPass(); p != nil && o.Dio && p.Count > 0 {
		for i := range o.Zeroed {
			out |= zeroRules(o, &o.Zeroed[i], p, c)
		}
		if p.Pos+p.Count > p.ISize {
			if o.Lock == record.LockShared {
				out |= R11 | R13
			}
			if o.Queued {
				out |= R11
			}
		}
	}
	if o.Flags&model.IocbNowait != 0 {
		if hadToWait(o) || sleepsForExt4(o) {
			out |= R4
		}
		if o.Allocated() {
			out |= R12
		}
	}
	if o.Buffered != nil && o.Buffered.Copied && o.Buffered.CopyDio > 0 {
		out |= R5
	}
	return out.Probed(c.Unprobed)
}

// Zero says which rules apply to a zeroed piece.
type Zero uint8

const (
	ZeroExempt  Zero = iota // none: E-short, or not known whether it is
	ZeroEOF                 // none: E-eof
	ZeroWritten             // R1: the block held data
	ZeroEmpty               // R1, R2 and R3: the block held nothing yet
)

// ZeroOf sorts a zeroed piece of o, whose last pass is p.
func ZeroOf(o *observe.Observation, z *observe.Zeroed, p *observe.Pass) Zero {
	switch {
	case o.Completed && o.Ret < 0:
		// A write that fails midway zeroes around the place where it stopped.
		return ZeroExempt
	case model.EOFTail(z.Pos, p.ISize, z.Type, z.Flags):
		return ZeroEOF
	case !o.Completed && !ownEnd(z, p, o.Blkbits):
		// The result of a write that is still queued is not known: this piece can be
		// the work of an error.
		return ZeroExempt
	case model.NeedZeroout(z.Type, z.Flags):
		return ZeroEmpty
	}
	return ZeroWritten
}

// zeroRules judges R1, R2 and R3 for one piece that was zeroed.
func zeroRules(o *observe.Observation, z *observe.Zeroed, p *observe.Pass, c Conditions) Set {
	kind := ZeroOf(o, z, p)
	if kind < ZeroWritten {
		return 0
	}
	var out Set
	if z.Lock == record.LockShared {
		out |= R1
	}
	if kind == ZeroWritten {
		return out
	}
	if !Waits(o) {
		out |= R3
	}
	if z.DioCount > 1 && !AppendsUnseen(o, z, p, c) {
		out |= R2
	}
	return out
}

// Waits reports whether iomap waits for the I/O of o before it returns. For a
// synchronous write it does so without being told to.
func Waits(o *observe.Observation) bool {
	return o.DioFlags&model.DioForceWait != 0 || observe.Async(o.Caller) == model.No
}

// AppendsUnseen is E-append: whether z is zeroed around i_size by a write that the
// kernel took for aligned by its position before the append.
func AppendsUnseen(o *observe.Observation, z *observe.Zeroed, p *observe.Pass, c Conditions) bool {
	mask := int64(1)<<o.Blkbits - 1
	if !c.EntryAlignment || z.Pos < p.ISize&^mask {
		return false
	}
	return !o.Align0Known || (o.Pos0|int64(o.Align0))&mask == 0
}

// ownEnd reports whether z is the rest of the first or of the last block of the
// write.
func ownEnd(z *observe.Zeroed, p *observe.Pass, blkbits uint8) bool {
	mask := int64(1)<<blkbits - 1
	end := p.Pos + p.Count
	return (z.Pos == p.Pos&^mask && z.Len == p.Pos&mask) || (z.Pos == end && end&mask != 0)
}

// ZeroesEmpty reports whether o zeroed a part of a block that held nothing yet.
func ZeroesEmpty(o *observe.Observation) bool {
	p := o.LastPass()
	if p == nil {
		return false
	}
	for i := range o.Zeroed {
		if ZeroOf(o, &o.Zeroed[i], p) == ZeroEmpty {
			return true
		}
	}
	return false
}
