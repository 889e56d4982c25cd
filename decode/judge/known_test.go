package judge

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestKnownIsUsed: of writes that agree and repeat, nearly all are known.
func TestKnownIsUsed(t *testing.T) {
	j := New(Options{Variant: model.Linux73})
	known := 0
	for i := range int64(100) {
		pos := i << 20
		o := &observe.Observation{
			ID: uint64(i), Stages: record.StageEntry | record.StagePass | record.StageFmod | record.StageDIO | record.StageBegin | record.StageReturn,
			Blkbits: 12, Pos0: pos, Len0: 8192, ISize0: 1 << 40, Align0Known: true, Caller: record.CallerSync,
			Passes: []observe.Pass{{
				Lock: record.LockShared, Pos: pos, Count: 8192, ISize: 1 << 40, IDisksize: 1 << 40,
				Flags: record.PassNosec | record.PassExtents | record.PassAlign,
			}},
			Head: observe.Head{Fmod: record.FmodKiocb}, FmodKnown: true, Dio: true, Lock: record.LockShared,
			Mappings:  []observe.Mapping{{Offset: pos, Length: 8192, Type: model.IomapMapped}},
			SubmitRet: 8192, Ret: 8192, Completed: true,
		}
		if j.known.find(o, j.det) != nil {
			known++
		}
		j.observe(o)
	}
	if j.Stats().Kinds[Agree] != 100 || known != 99 { // the first one was decided
		t.Errorf("%+v, %d known", j.Stats(), known)
	}
}
