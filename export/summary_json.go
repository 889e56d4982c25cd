package export

import (
	"encoding/json"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/record"
)

// summaryJSON is a Summary for programs.
type summaryJSON struct {
	Issued      uint64            `json:"issued"` // counted at the entry
	Seen        uint64            `json:"seen"`
	Lost        uint64            `json:"lost"`
	Unfinished  uint64            `json:"unfinished"`
	Unaccounted uint64            `json:"unaccounted"`
	Incomplete  uint64            `json:"incomplete"`
	Unpaired    uint64            `json:"unpaired"` // queued, completion not seen
	Losses      string            `json:"losses"`
	TooFast     uint64            `json:"too_fast"` // quicker than --min-latency
	LeftOut     map[string]uint64 `json:"left_out"` // by the filter that refused them
	Written     map[string]uint64 `json:"written"`  // by caller: writes with a positive result
	Shared      uint64            `json:"shared"`
	Exclusive   uint64            `json:"exclusive"`
	NoDIO       uint64            `json:"no_dio"`
	Restarted   uint64            `json:"restarted"`
	Drained     uint64            `json:"drained"`
	Bytes       uint64            `json:"bytes"`
	WaitNs      uint64            `json:"wait_ns"`
	Reasons     map[string]uint64 `json:"exclusive_reasons"`
	Verdicts    map[string]uint64 `json:"verdicts"`
	Undecided   map[string]uint64 `json:"undecided"` // by the fact that was missing
	Hazards     map[string]uint64 `json:"hazards"`   // by rule: broken, but not promised
	Overlaps    summaryOverlaps   `json:"overlaps"`
	Variant     string            `json:"variant"`
	Evidence    []string          `json:"evidence"`
	ElapsedNs   int64             `json:"elapsed_ns"`
	Incompletes map[string]uint64 `json:"incomplete_reasons"` // why records were not judged
	InPart      uint64            `json:"in_part"`            // judged, but something after the decision did not fit into the record
	Unseen      map[string]uint64 `json:"in_part_unseen"`     // by the part that did not
	endedJSON
	waitedJSON
	Inside []insideJSON `json:"inside"` // not returned, or queued and not seen to end
	Advice []adviceJSON `json:"advice"` // what costs time, and what changes it; null when nobody has looked for it
	// Coverage is a list as variants of coverage --json; null when nobody has counted.
	Coverage any         `json:"coverage"`
	Sample   *sampleJSON `json:"sample"` // all counts but issued, left_out are of it; null when all writes were wanted
}

// summaryOverlaps counts pairs of writes, by the rule that they broke together.
type summaryOverlaps struct {
	R2        uint64 `json:"R2"`
	R3        uint64 `json:"R3"`
	R5        uint64 `json:"R5"`
	EOF       uint64 `json:"eof"` // breaks no rule: see overlap.EOF
	Evicted   uint64 `json:"evicted"`
	Unchecked uint64 `json:"unchecked"`
	Unmoved   uint64 `json:"unmoved"`  // did not move ki_pos on by what they wrote
	Repeated  uint64 `json:"repeated"` // began where such a one left it
}

// JSON returns the summary as one JSON object and a newline.
func (s *Summary) JSON() ([]byte, error) {
	b, err := json.Marshal(s.json())
	if err != nil {
		return nil, fmt.Errorf("encode summary: %w", err)
	}
	return append(b, '\n'), nil
}

func (s *Summary) json() summaryJSON {
	t := &s.Totals
	j := summaryJSON{
		Issued: s.Issued(), Seen: t.Writes, Lost: s.Losses.Lost(),
		Unfinished: s.Losses.Unfinished, Unaccounted: s.Unaccounted(),
		Incomplete: t.Incomplete, Unpaired: s.Unpaired, Losses: s.Losses.String(), TooFast: s.Losses.TooFast, LeftOut: map[string]uint64{},
		Written: map[string]uint64{}, Verdicts: map[string]uint64{},
		Shared: t.Shared, Exclusive: t.Exclusive, NoDIO: t.NoDIO,
		Restarted: t.Restarted, Drained: t.Drained, Bytes: t.Bytes, WaitNs: t.WaitNs,
		Reasons: t.reasons, Undecided: t.missing, Hazards: t.hazards,
		Overlaps: summaryOverlaps{
			R2: s.Overlaps.Zeroed, R3: s.Overlaps.Unwaited, R5: s.Overlaps.Fallback, EOF: s.Overlaps.EOFOverlaps,
			Evicted: s.Overlaps.Evicted, Unchecked: s.Overlaps.Unchecked,
			Unmoved: s.Overlaps.Unmoved, Repeated: s.Overlaps.Repeated,
		},
		Variant: s.Variant, Evidence: s.Evidence, ElapsedNs: int64(s.Elapsed),
		Incompletes: t.incomplete, InPart: t.InPart, Unseen: t.unseen,
		endedJSON: s.endedJSON(), waitedJSON: s.waitedJSON(),
		Inside: t.insideJSON(), Advice: s.adviceJSON(), Coverage: s.Coverage, Sample: s.sampleJSON(),
	}
	for c, n := range t.Written {
		if n > 0 {
			j.Written[record.Caller(c).String()] = n
		}
	}
	l := &s.Losses
	for filter, n := range map[string]uint64{
		"pid": l.NotPid, "dev": l.NotDev, "ino": l.NotIno, "path": l.NotPath, "cgroup": l.NotCgroup, "comm": l.NotComm, "command": l.NotTree, "sample": l.NotSample,
	} {
		if n > 0 {
			j.LeftOut[filter] = n
		}
	}
	for k, n := range t.Verdicts {
		j.Verdicts[judge.Kind(k).String()] = n
	}
	return j
}
