package observe

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Summed is the mappings of one class of a write with too many to keep each. The first
// ones and the last one are in Observation.Mappings; those between are summed up by all
// that a judgement looks at.
type Summed struct {
	Type, Flags uint16 // IOMAP_*, IOMAP_F_*
	AllocFlags  uint32 // flags of the allocating ext4_map_blocks, 0 if none
	Overwrite   bool   // ext4_iomap_overwrite_begin (6.x)
	LookedUp    bool   // as in Mapping
	LookupFlags uint32
	Found       bool // the lookups found blocks
	Beyond      bool // they begin at i_size or beyond it
	Gap         bool // one did not begin where the mapping before it ended
	Count       uint32
	Bytes       int64
	AtUs        uint32 // of the last one, since the entry
}

// Allocated reports whether blocks were asked for with EXT4_GET_BLOCKS_CREATE.
func (s *Summed) Allocated() bool { return s.AllocFlags&model.GetBlocksCreate != 0 }

// Allocated reports whether o asked for blocks with EXT4_GET_BLOCKS_CREATE.
func (o *Observation) Allocated() bool {
	return slices.ContainsFunc(o.Mappings, Mapping.Allocated) ||
		slices.ContainsFunc(o.Summed, func(s Summed) bool { return s.Allocated() })
}

// addSummed takes up the mappings of one class.
func (o *Observation) addSummed(s *record.Step) {
	if len(o.Summed) == 0 {
		o.summedAt = len(o.Mappings)
	}
	m := Summed{
		Type: uint16(s.C), Flags: uint16(s.C >> 16), AllocFlags: s.D, Overwrite: s.Aux&record.MapOverwrite != 0,
		LookedUp: s.Aux&record.MapLookup != 0, LookupFlags: uint32(s.A >> 32), Found: s.Aux&record.MapFound != 0,
		Beyond: s.Aux&record.MapBeyond != 0, Gap: s.Aux&record.MapGap != 0,
		Count: uint32(s.A), Bytes: int64(s.B), AtUs: s.TUs,
	}
	if m.Count == 0 || m.Bytes < 0 {
		o.broken("a sum of no mappings")
		return
	}
	o.Summed = append(o.Summed, m)
}

// summedBytes is the length of the mappings that are summed up; ok is false when they are
// not one piece of the file.
func (o *Observation) summedBytes() (n int64, ok bool) {
	for i := range o.Summed {
		if o.Summed[i].Gap {
			return 0, false
		}
		n += o.Summed[i].Bytes
	}
	return n, true
}

// addSleeps takes up sleeps that the record only sums up: one entry for each cause in each
// phase.
func (o *Observation) addSleeps(s *record.Step) {
	for i := range 64 {
		if s.B&(1<<i) != 0 {
			o.Sleeps = append(o.Sleeps, Sleep{Phase: record.Phase(i / 16), Cause: sleepCause(uint32(i % 16)), More: s.C, Ns: s.A, AtUs: s.TUs})
		}
	}
}

// lateCut are the parts of a write that follow its decision.
const lateCut = record.CutMaps | record.CutZeroed | record.CutBuffered | record.CutWaits | record.CutSleeps

// cutParts are the parts of w of which steps were lost. Old records do not say which, but
// hold the steps in order: when one of them comes after the decision, so does what was lost.
func cutParts(w *record.Write) uint8 {
	if w.StepsLost == 0 || w.Cut != 0 {
		return w.Cut
	}
	for i := range w.Steps[:w.NSteps] {
		switch w.Steps[i].Kind {
		case record.StepMap, record.StepZero, record.StepBuffered, record.StepCopy:
			return lateCut
		}
	}
	return record.CutChecks | lateCut
}

// Lacks reports whether the record does not hold all steps of one of these parts
// (record.Cut*).
func (o *Observation) Lacks(parts uint8) bool { return o.Cut&parts != 0 }

// InPart reports whether the decision of o was seen and something that came after it was
// not.
func (o *Observation) InPart() bool { return o.Cut != 0 && o.Incomplete == "" }
