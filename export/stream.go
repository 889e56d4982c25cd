package export

import (
	"encoding/json"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
)

// SchemaName names the form of the lines of JSON. The number grows when a name changes its
// meaning; a new field or a new kind of line does not change it.
const SchemaName = "ext4dio-trace/1"

// Kinds of the lines that are no writes. A line without a kind is a write.
const (
	KindStart   = "start"
	KindLoss    = "loss"
	KindNotice  = "notice"
	KindHold    = "hold"
	KindMark    = "mark"
	KindSummary = "summary"
)

// StartLine is the first line of a stream of JSON.
type StartLine struct {
	Schema      string `json:"schema" doc:"form of all lines of the stream"`
	Kind        string `json:"kind" doc:"start"`
	Kernel      string `json:"kernel" doc:"release of the kernel that was traced"`
	Variant     string `json:"variant" doc:"what writes are judged as at the start"`
	Provisional bool   `json:"provisional" doc:"a write may rule that variant out"`
	StartNs     uint64 `json:"start_ns" doc:"when the first write could be seen, CLOCK_MONOTONIC; 0 when not known"`
}

// lossLine says at its place in the stream that something is missing there.
type lossLine struct {
	Kind   string `json:"kind" doc:"loss"`
	Writes uint64 `json:"writes" doc:"writes that were lost since the last such line"`
	Total  uint64 `json:"total" doc:"writes that were lost so far"`
	Text   string `json:"text" doc:"all that was lost since the last such line, by cause"`
}

// noticeLine says something between the writes.
type noticeLine struct {
	Kind string `json:"kind" doc:"notice"`
	Text string `json:"text" doc:"what there is to know, in one clause"`
}

// markLine says between the writes that those which begin from its time on have another mark.
type markLine struct {
	Kind   string  `json:"kind" doc:"mark"`
	TimeNs uint64  `json:"time_ns" doc:"when it was taken, CLOCK_MONOTONIC"`
	Mark   *string `json:"mark" doc:"its name; null where none is in force any more"`
}

// summaryLine is the last line.
type summaryLine struct {
	Kind string `json:"kind" doc:"summary"`
	summaryJSON
}

// AppendStart appends the first line.
func AppendStart(dst []byte, s StartLine) []byte {
	s.Schema, s.Kind = SchemaName, KindStart
	s.Kernel, s.Variant = Safe(s.Kernel), Safe(s.Variant)
	return appendLine(dst, &s)
}

// AppendLoss appends the line about what was lost since an earlier reading.
func AppendLoss(dst []byte, since, now record.Losses) []byte {
	lost := now.Since(since)
	return appendLine(dst, &lossLine{KindLoss, lost.Lost(), now.Lost(), lost.String()})
}

// AppendNotice appends a line that says text.
func AppendNotice(dst []byte, text string) []byte {
	return appendLine(dst, &noticeLine{KindNotice, Safe(text)})
}

// AppendMark appends the line of a mark.
func AppendMark(dst []byte, t uint64, name string) []byte {
	return appendLine(dst, &markLine{KindMark, t, nullWhenEmpty(name)})
}

// nullWhenEmpty is a text in JSON, null for an empty one.
func nullWhenEmpty(s string) *string {
	if s == "" {
		return nil
	}
	s = SafeMark(s)
	return &s
}

// AppendSummary appends the last line.
func AppendSummary(dst []byte, s *Summary) []byte {
	return appendLine(dst, &summaryLine{KindSummary, s.json()})
}

func appendLine(dst []byte, line any) []byte {
	b, err := json.Marshal(line)
	if err != nil {
		panic(fmt.Sprintf("export: a line of numbers and texts: %v", err))
	}
	return append(append(dst, b...), '\n')
}

// LineKind is the kind of a line of JSON, empty for a write and for what is no JSON.
func LineKind(line []byte) string {
	var k struct {
		Kind string `json:"kind"`
	}
	_ = json.Unmarshal(line, &k) // what is no JSON has no kind
	return k.Kind
}
