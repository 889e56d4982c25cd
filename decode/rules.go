package decode

import (
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Rules is a set of broken rules.
type Rules uint16

// The rules. Their ids (R1 …) are stable. Of R4, about sleeps under NOWAIT, only
// the part that needs no stack is judged: a second pass, which takes the lock
// blocking, and a drain.
const (
	R1 Rules = 1 << (iota + 1)
	R2
	R3
	R4
	R5
	R6
	R7
	R8
	R9
	R10
	R11
	R12
	R13
)

// Rule describes one rule.
type Rule struct {
	ID   string
	Text string // one sentence
	// Safety is set for a rule that protects data or the NOWAIT promise. To break
	// another rule is a difference, not a danger.
	Safety bool
}

var ruleTable = [...]Rule{
	1:  {"R1", "A partial block is zeroed only while i_rwsem is held exclusive.", true},
	2:  {"R2", "A partial block is zeroed only while no other direct I/O of the inode is in flight.", true},
	3:  {"R3", "A write that zeroes a partial block waits for its I/O before it unlocks (IOMAP_DIO_FORCE_WAIT).", true},
	4:  {"R4", "A NOWAIT write does not sleep for a lock, the journal or metadata.", true},
	5:  {"R5", "A buffered fallback copies only after direct I/O in flight was drained.", true},
	6:  {"R6", "i_rwsem is held in the mode that the variant chooses.", false},
	7:  {"R7", "The write checks run as often as the variant says.", false},
	8:  {"R8", "IOMAP_DIO_FORCE_WAIT is given exactly when the variant says.", false},
	9:  {"R9", "The check phase looks up the blocks that the variant looks up.", false},
	10: {"R10", "A NOWAIT write ends in -EAGAIN exactly where the variant says.", false},
	11: {"R11", "An extending write holds i_rwsem exclusive and is never queued.", true},
	12: {"R12", "A NOWAIT write allocates no blocks (kernels with patch 1).", true},
	13: {"R13", "No write that ends beyond i_size runs under the shared lock.", true},
}

// AllRules lists the rules in the order of their ids.
func AllRules() []Rule { return ruleTable[1:] }

const (
	firstRule = 1
	lastRule  = 13
)

// appendIDs appends the ids of the rules in the set, in order.
func (r Rules) appendIDs(dst []string) []string {
	for i := firstRule; i <= lastRule; i++ {
		if r&(1<<i) != 0 {
			dst = append(dst, ruleTable[i].ID)
		}
	}
	return dst
}

// safetyRules judges the rules that hold whatever the variant's decision is:
// R1, R2, R3, R11 and R13, and R12 and R5 for a variant that promises them. d is
// the decision of the variant, for the exemption that depends on it.
func safetyRules(o *Observation, has model.Behaviours, d *model.Decision) Rules {
	var broken Rules
	p := o.lastPass()
	if p != nil && o.Dio && p.Count > 0 {
		broken |= zeroRules(o, p, has, d)
		if p.Pos+p.Count > p.ISize {
			if o.Lock == record.LockShared {
				broken |= R11 | R13
			}
			if o.Queued {
				broken |= R11
			}
		}
	}
	nowait := o.Flags&model.IocbNowait != 0
	if nowait && has.Has(model.NowaitNoAlloc) {
		for i := range o.Mappings {
			if o.Mappings[i].Allocated() {
				broken |= R12
			}
		}
	}
	if has.Has(model.DrainFallback) && o.Buffered != nil && o.Buffered.Copied && o.Buffered.CopyDio > 0 {
		broken |= R5
	}
	return broken
}

// zeroRules judges R1, R2 and R3 for every piece that was zeroed.
func zeroRules(o *Observation, p *Pass, has model.Behaviours, d *model.Decision) Rules {
	var broken Rules
	// A write that fails midway zeroes around the place where it stopped; so an
	// error exempts it (E-short). The result of a write that is still queued is
	// not known, and then only the pieces at its own ends count.
	if o.Completed && o.Ret < 0 {
		return 0
	}
	for i := range o.Zeroed {
		z := &o.Zeroed[i]
		if model.EOFTail(z.Pos, p.ISize, z.Type, z.Flags) {
			continue // E-eof
		}
		if !o.Completed && !ownEnd(z, p, o.Blkbits) {
			continue
		}
		if z.Lock == record.LockShared {
			broken |= R1
		}
		if !model.NeedZeroout(z.Type, z.Flags) {
			continue
		}
		// iomap waits for a synchronous write without being told to.
		if o.DioFlags&model.DioForceWait == 0 && !synchronous(o.Caller) {
			broken |= R3
		}
		if lastBlock := p.ISize &^ (1<<o.Blkbits - 1); z.Pos >= lastBlock && aligned61(has, d) {
			// 6.1 judges alignment before IOCB_APPEND moved ki_pos, so that an append
			// can zero around i_size without a drain. Nothing else can be in flight
			// there: it would extend the file, or be unaligned, and so hold the lock
			// to its end.
			continue
		}
		if z.DioCount > 1 || (d.Drain == model.Yes && o.Drain == nil) {
			broken |= R2
		}
	}
	return broken
}

// synchronous reports whether the caller gave no ki_complete.
func synchronous(c record.Caller) bool {
	return c == record.CallerSync || c == record.CallerKthread || c == record.CallerNFSD
}

// ownEnd reports whether z is the rest of the first or of the last block of the
// write.
func ownEnd(z *Zeroed, p *Pass, blkbits uint8) bool {
	mask := int64(1)<<blkbits - 1
	end := p.Pos + p.Count
	return (z.Pos == p.Pos&^mask && z.Len == p.Pos&mask) || (z.Pos == end && end&mask != 0)
}

// aligned61 reports whether 6.1 took the write for aligned.
func aligned61(has model.Behaviours, d *model.Decision) bool {
	return !has.Has(model.UnalignedShared) && d.Passes > 0 && d.Pass[d.Passes-1].Unaligned == model.No
}
