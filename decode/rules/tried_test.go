package rules

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestTried: what a write could have broken, by what was seen of it.
func TestTried(t *testing.T) {
	inside := observe.Pass{Pos: 0, Count: 4096, ISize: 8192}
	beyond := observe.Pass{Pos: 8192, Count: 512, ISize: 8192}
	empty := observe.Zeroed{Pos: 8704, Len: 3584, Type: model.IomapUnwritten}
	for _, tt := range []struct {
		what     string
		o        observe.Observation
		unprobed record.Stages
		want     Set
	}{
		{"inside i_size", observe.Observation{Dio: true, Passes: []observe.Pass{inside}}, 0, R6 | R7 | R8 | R9},
		{"beyond it", observe.Observation{Dio: true, Passes: []observe.Pass{beyond}}, 0, R6 | R7 | R8 | R9 | R11 | R13},
		{"NOWAIT", observe.Observation{Dio: true, Flags: model.IocbNowait, Passes: []observe.Pass{inside}}, 0, R4 | R6 | R7 | R8 | R9 | R10 | R12},
		{"NOWAIT, without a probe at lookups", observe.Observation{Dio: true, Flags: model.IocbNowait, Passes: []observe.Pass{inside}}, record.StageLookup, R4 | R6 | R7 | R8 | R10},
		{"buffered", observe.Observation{Buffered: &observe.Buffered{Copied: true}}, 0, R5},
		{"zeroing, asynchronous", zeroing(record.CallerIOUring, beyond, empty), 0, R1 | R2 | R3 | R6 | R7 | R8 | R9 | R11 | R13},
		{"zeroing, synchronous", zeroing(record.CallerSync, beyond, empty), 0, R1 | R2 | R6 | R7 | R8 | R9 | R11 | R13},
	} {
		if got := Tried(&tt.o, Conditions{Unprobed: tt.unprobed}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

func zeroing(c record.Caller, p observe.Pass, z observe.Zeroed) observe.Observation {
	return observe.Observation{Caller: c, Dio: true, Blkbits: 12, Completed: true, Ret: p.Count, Passes: []observe.Pass{p}, Zeroed: []observe.Zeroed{z}}
}
