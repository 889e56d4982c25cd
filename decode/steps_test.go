package decode_test

import (
	"reflect"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestMappingLookup: the lookup inside ext4_iomap_begin shares its two words with
// the place of the mapping, and both come out whole, at the ends of their ranges.
func TestMappingLookup(t *testing.T) {
	for _, tt := range []struct {
		line string
		want observe.Mapping
	}{
		{"map 0 4096 mapped", observe.Mapping{Length: 4096, Type: model.IomapMapped}},
		{"map 0 4096 mapped looked=0 found=1", observe.Mapping{Length: 4096, Type: model.IomapMapped, LookedUp: true, LookupRet: 1}},
		{
			"map 8192 4096 unwritten new alloc=3 looked=0x800 found=0",
			observe.Mapping{Offset: 8192, Length: 4096, Type: model.IomapUnwritten, Flags: model.IomapFNew, AllocFlags: 3, LookedUp: true, LookupFlags: 0x800},
		},
		{"map error=-11", observe.Mapping{Err: -11}},
		{"map error=-11 looked=0x800 found=-11", observe.Mapping{Err: -11, LookedUp: true, LookupFlags: 0x800, LookupRet: -11}},
		{"map error=-11 looked=0 found=0", observe.Mapping{Err: -11, LookedUp: true}},
		{"map error=-5 looked=0xffffffff found=7", observe.Mapping{Err: -5, LookedUp: true, LookupFlags: 0xffffffff, LookupRet: 7}},
		{
			// The last block of the largest file, and the longest mapping.
			"map 17592186040320 17592186040320 mapped looked=0xffffffff found=-2147483648",
			observe.Mapping{
				Offset: 0xffffffff << 12, Length: 0xffffffff << 12, Type: model.IomapMapped,
				LookedUp: true, LookupFlags: 0xffffffff, LookupRet: -1 << 31,
			},
		},
	} {
		s := parseScript(t, "entry pos=0 len=4096 isize=16384\npass shared\ndio shared\n"+tt.line+" at=3\nreturn 4096")
		ob, got := collect()
		feed(t, ob, s.raw()...)
		tt.want.AtUs = 3
		if o := (*got)[0]; o.Incomplete != "" || !reflect.DeepEqual(o.Mappings, []observe.Mapping{tt.want}) {
			t.Errorf("%s: %s\n got %+v\nwant %+v", tt.line, o.Incomplete, o.Mappings, tt.want)
		}
	}
}
