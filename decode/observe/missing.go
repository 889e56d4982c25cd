package observe

import (
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// missing says which part of the write the record does not hold, or nothing.
func (o *Observation) missing(w *record.Write) string {
	switch st := o.Stages; {
	case !st.Has(record.StageEntry):
		return "entry not seen"
	case o.Inside:
		return "it had not returned: " + o.InsideAt.Words()
	case !st.Has(record.StageReturn):
		return "return not seen"
	case st.Has(record.StageBroken):
		return "an inner probe was entered and not left, or the reverse"
	case o.Lacks(record.CutChecks):
		return "more steps before the decision than a record holds"
	case o.Blkbits < 9 || o.Blkbits > 20:
		return "block size not known"
	case o.Pos0 < 0 || o.Len0 < 0:
		return model.Contradiction + "negative position"
	}
	if why := o.missingSteps(w); why != "" {
		return why
	}
	return o.missingStages()
}

// missingSteps compares the stages that the record claims with its steps.
func (o *Observation) missingSteps(w *record.Write) string {
	lookups := 0
	for i := range o.Passes {
		p := &o.Passes[i]
		lookups += len(p.Lookups)
		if p.Flags&passDisksizeDue != 0 {
			return "i_disksize not seen"
		}
		if p.Pos|p.ISize|p.IDisksize < 0 { // one of them
			return model.Contradiction + "negative position"
		}
	}
	st := o.Stages
	// absent compares a stage with its steps, which may be lost where cut says so.
	absent := func(stage record.Stages, seen bool, cut uint8) bool {
		return st.Has(stage) != seen && (seen || !o.Lacks(cut))
	}
	switch {
	case st.Has(record.StagePass) != (len(o.Passes) > 0), int(w.Passes) != len(o.Passes):
		return "write checks missing from the record"
	case st.Has(record.StageLookup) != (lookups > 0):
		return "lookups missing from the record"
	case st.Has(record.StageDrain) != (o.Drain != nil):
		return "drain missing from the record"
	case absent(record.StageBegin, len(o.Mappings) > 0, record.CutMaps),
		len(o.Summed) > 0 && o.summedAt != len(o.Mappings)-1:
		return "mappings missing from the record"
	case absent(record.StageZero, len(o.Zeroed) > 0, record.CutZeroed):
		return "zeroing missing from the record"
	case absent(record.StageBuffered, o.Buffered != nil, record.CutBuffered):
		return "buffered part missing from the record"
	case absent(record.StageCopy, o.Buffered != nil && o.Buffered.Copied, record.CutBuffered):
		return "buffered copy missing from the record"
	}
	return ""
}

// missingStages names a stage that this write must have passed and that was not
// seen.
func (o *Observation) missingStages() string {
	st, p := o.Stages, o.LastPass()
	if p != nil {
		switch {
		case !st.Has(record.StageLock):
			return "i_rwsem could not be read"
		case !st.Has(record.StageAlign):
			return "alignment of the iov_iter not known"
		}
	}
	if o.Dio && o.Lock == record.LockUnknown {
		return "i_rwsem could not be read"
	}
	if p == nil && o.Dio {
		return "write checks not seen"
	}
	if o.SubmitRet < 0 && !o.Queued {
		return ""
	}
	switch {
	case p == nil && o.Buffered == nil:
		return "write checks not seen"
	case p != nil && p.Flags&record.PassDAX != 0:
		return "" // dax_iomap_rw took it
	case p != nil && p.Count > 0 && !o.Dio && o.Buffered == nil:
		return "iomap_dio_rw not seen"
	}
	return ""
}

func (o *Observation) broken(what string) {
	if o.Incomplete == "" {
		o.Incomplete = model.Contradiction + what
	}
}

// Unjudged says why o cannot be judged at all, or nothing.
func (o *Observation) Unjudged() string {
	if o.Incomplete != "" {
		return o.Incomplete
	}
	if p := o.LastPass(); p != nil && p.Flags&record.PassDAX != 0 {
		return "DAX: its writes take another path"
	}
	if why := o.contradiction(); why != "" {
		return model.Contradiction + why
	}
	if len(o.Passes) == 0 && o.Buffered == nil && !o.Dio && !o.EntryError() &&
		!(o.SubmitRet == model.EAGAIN && o.Flags&model.IocbNowait != 0) {
		return "why the write ended before the write checks"
	}
	return ""
}

// EntryError reports whether ext4_file_write_iter refused the write before it
// took i_rwsem: shutdown, read-only after an error, an impossible atomic write.
func (o *Observation) EntryError() bool {
	if len(o.Passes) > 0 || o.Buffered != nil || o.Dio {
		return false
	}
	switch o.SubmitRet {
	case -eio, -erofs:
		return true
	case -einval, model.EOPNOTSUPP:
		return o.Flags&model.IocbAtomic != 0
	}
	return false
}

const (
	eio    = 5
	einval = 22
	erofs  = 30
)

// contradiction names two facts of o that cannot both be true, or nothing.
func (o *Observation) contradiction() string {
	call := o.Call()
	for i := range o.Passes {
		p := &o.Passes[i]
		checks := p.Checks()
		if why := checks.Impossible(&call); why != "" {
			return why
		}
		for _, l := range p.Lookups {
			if why := l.Result().Impossible(l.Query()); why != "" {
				return why
			}
		}
	}
	return ""
}
