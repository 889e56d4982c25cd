package rowfilter

import (
	"maps"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Flags are the names of all flags, sorted.
func Flags() []string { return slices.Sorted(maps.Keys(flags)) }

// Times are the names of the fields that are times, those that are wanted most at the front.
func Times() (out []string) {
	for i := range fieldTable {
		if fieldTable[i].kind == duration {
			out = append(out, fieldTable[i].name)
		}
	}
	return out
}

// Time is what a write has in the field of Times that is called name, ns; nil for none.
func Time(name string) func(*export.Row) (ns int64, known bool) {
	if f := fieldNamed(name); f != nil && f.kind == duration {
		return f.number
	}
	return nil
}

// IsField reports whether name is that of a field, which needs an operator and a value.
func IsField(name string) bool { return fieldNamed(name) != nil }
