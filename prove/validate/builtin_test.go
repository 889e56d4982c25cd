package validate

import (
	"maps"
	"slices"
	"strings"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// leftOpen lists the core fields that are left out on purpose, because the
// kernel's source does not decide them for that variant.
var leftOpen = map[string]string{
	"disksize-aligned/patch3":          "lookups", // may or may not look the blocks up
	"edge-disksize-by-one-byte/patch3": "lookups",
	"edge-disksize-hole/patch3":        "lookups",
	"edge-disksize-unwritten/patch3":   "lookups",
	"cut-disksize/patch3":              "lookups",
	"immutable":                        "lookups", // not the point of its second write
}

func TestBuiltinIsComplete(t *testing.T) {
	scs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	writes, rows := 0, map[string]bool{}
	for _, sc := range scs {
		for _, c := range sc.Covers {
			rows[c] = true
		}
		if len(sc.Covers) == 0 {
			t.Errorf("%s covers nothing", sc.Name)
		}
		for _, st := range sc.Steps {
			if st.Write == nil {
				continue
			}
			writes++
			for _, v := range model.VariantNames() {
				for _, f := range Core() {
					open := leftOpen[sc.Name+"/"+v] == f || leftOpen[sc.Name] == f
					if st.Write.Expect[v][f] == nil && !open {
						t.Errorf("%s.txt:%d: nothing about %s for %s", sc.Theme, st.Line, f, v)
					}
				}
			}
		}
	}
	if writes < 60 {
		t.Errorf("%d writes are specified, want at least 60", writes)
	}
	for table, letters := range map[string]string{
		"checks-on-61": "abcdefghi", "checks-on-612-and-72": "abcdfghijklmnopq",
		"checks-with-patch-3": "acdgkn", "checks-with-patch-4": "abcdfghjklmnopq",
	} {
		for _, l := range letters {
			if !rows[table+"/"+string(l)] {
				t.Errorf("no scenario covers row %s of table %s", string(l), table)
			}
		}
	}
	t.Logf("%d scenarios, %d writes, rows %s", len(scs), writes, strings.Join(slices.Sorted(maps.Keys(rows)), " "))
}
