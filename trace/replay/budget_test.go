package replay

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// withBudgets puts the budget of each write before its record, or, when it was queued, before
// its completion.
func withBudgets(t *testing.T, raws [][]byte) (out [][]byte) {
	began := map[uint64]uint64{}
	for _, raw := range raws {
		from, to, ok := record.TimesOf(raw)
		id, _ := record.IDOf(raw)
		kind, _, _ := record.KindOf(raw)
		if kind == record.KindWrite {
			began[id] = from
			if ret := int32(binary.LittleEndian.Uint32(raw[record.AtRet:])); ret == -529 {
				out = append(out, raw)
				continue
			}
		}
		if _, seen := began[id]; ok && seen {
			b := record.Budget{ID: id, Total: to - began[id], Rest: to - began[id]}
			out = append(out, b.Append(nil))
			delete(began, id)
		}
		out = append(out, raw)
	}
	if len(out) < len(raws)+len(raws)/2 {
		t.Fatalf("%d records became %d", len(raws), len(out))
	}
	return out
}

// A budget is kept by a trace, and belongs to its write wherever chunks of the file part
// them: in a pass over all and in a window.
func TestBudgetsAreKept(t *testing.T) {
	info, raws, in := readRaws(t, "../../testdata/traces/linux-7.3.e4d")
	raws = withBudgets(t, raws[:min(len(raws), 400)])
	for _, inChunk := range []int{1, 3, 64} {
		paths := rewrite(t, *info, raws, export.Names(in), inChunk, 1000)
		rows, _ := passed(t, paths, "auto")
		with := 0
		for _, row := range rows {
			if strings.Contains(row, `"budget":{`) {
				with++
			}
		}
		if with*10 < len(rows)*9 {
			t.Errorf("%d records in a chunk: %d of %d writes have their budget", inChunk, with, len(rows))
		}
		compareWindow(t, paths, "auto", 7)
	}
}
