package judge

import (
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestLawful: each pass that ends inside i_size and beyond i_disksize may have raced, in
// every combination; i_size may have moved only while the write waited, and only where
// the first lock differs.
func TestLawful(t *testing.T) {
	inside := observe.Pass{Pos: 0, Count: 4096, ISize: 8192, IDisksize: 8192}
	behind := observe.Pass{Pos: 0, Count: 4096, ISize: 4096, IDisksize: 4095}
	beyond := observe.Pass{Pos: 0, Count: 4096, ISize: 4095, IDisksize: 0}
	for _, tt := range []struct {
		name   string
		passes []observe.Pass
		stages record.Stages
		differ fields
		raced  []uint8
		moved  bool
	}{
		{"neither", []observe.Pass{inside, beyond}, 0, 1 << FieldFirstLock, nil, false},
		{"the second", []observe.Pass{inside, behind}, 0, 1 << FieldLock, []uint8{2}, false},
		{"both", []observe.Pass{behind, behind}, record.StageWait, 1 << FieldFirstLock, []uint8{1, 2, 3}, true},
		{"another field", []observe.Pass{inside}, record.StageWait, 1 << FieldLock, nil, false},
	} {
		var raced []uint8
		moved := false
		for i, h := range lawful(&observe.Observation{Passes: tt.passes, Stages: tt.stages}, tt.differ) {
			if h.missing == "" || h.moved && i < len(tt.raced) {
				t.Errorf("%s: %+v", tt.name, h)
			}
			if moved = moved || h.moved; !h.moved {
				raced = append(raced, h.raced)
			}
		}
		if !slices.Equal(raced, tt.raced) || moved != tt.moved {
			t.Errorf("%s: raced %v, moved %v", tt.name, raced, moved)
		}
	}
}

// TestVerdictFields: a difference is handed out in its parts, and its sentence is made
// of them.
func TestVerdictFields(t *testing.T) {
	o := &observe.Observation{
		Stages:  record.StageEntry | record.StagePass | record.StageLock | record.StageAlign | record.StageDIO | record.StageReturn,
		Blkbits: 12, Len0: 4096, ISize0: 1 << 20, Align0Known: true, Caller: record.CallerSync,
		Passes: []observe.Pass{{
			Lock: record.LockShared, Count: 4096, ISize: 1 << 20, IDisksize: 1 << 20, Flags: record.PassNosec | record.PassExtents | record.PassAlign,
		}},
		Dio: true, Lock: record.LockExclusive, SubmitRet: 4096, Ret: 4096, Completed: true,
		Mappings: []observe.Mapping{{Offset: 8192, Length: 4096, AllocFlags: 7}},
	}
	v := Compare(o, model.Linux73)
	want := []Diff{
		{Field: FieldLock, Seen: "exclusive", Want: "shared"},
		{Field: FieldAlloc, Pos: 8192, Seen: "flags 0x7", Want: "0x9"},
	}
	if v.Kind != Differs || v.Reason != model.ReasonAligned || len(v.Diffs) != 2 || v.Diffs[0] != want[0] {
		t.Fatalf("%+v", v)
	}
	want[1].Want = v.Diffs[1].Want // the model's tests know it
	if v.Diffs[1] != want[1] {
		t.Errorf("%+v, want %+v", v.Diffs[1], want[1])
	}
	why := []string{"aligned, inside i_size", "lock: observed exclusive, expected shared", "allocation at 8192: observed flags 0x7, expected " + want[1].Want}
	if got := v.Why(); !slices.Equal(got, why) {
		t.Errorf("%q, want %q", got, why)
	}
}
