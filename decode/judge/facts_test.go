package judge

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestFromMapping: a mapping answers for its own blocks, and only when written.
func TestFromMapping(t *testing.T) {
	f := &facts{o: &observe.Observation{Blkbits: 12, Mappings: []observe.Mapping{
		{Err: -5},
		{Offset: 4096, Length: 8192, Type: model.IomapMapped},
		{Offset: 12288, Length: 4096, Type: model.IomapMapped, Flags: model.IomapFNew},
		{Offset: 16384, Length: 4096, Type: model.IomapUnwritten},
	}}}
	for _, tt := range []struct {
		q    model.Query
		want int32 // 0: no answer
	}{
		{model.Query{Lblk: 1, Len: 1}, 1},
		{model.Query{Lblk: 1, Len: 9}, 2},
		{model.Query{Lblk: 2, Len: 1}, 1},
		{model.Query{Lblk: 0, Len: 1}, 0},
		{model.Query{Lblk: 3, Len: 1}, 0},
		{model.Query{Lblk: 4, Len: 1}, 0},
	} {
		if r, ok := f.fromMapping(tt.q); r.Ret != tt.want || ok != (tt.want > 0) {
			t.Errorf("%+v: %d, %v", tt.q, r.Ret, ok)
		}
	}
}
