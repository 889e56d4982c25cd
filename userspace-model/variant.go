package model

import (
	"fmt"
	"strings"
)

// Variant names one version of ext4's direct-write decisions. The zero value is
// no variant.
type Variant uint8

// The variants, in the order of Variants.
const (
	Linux61  Variant = iota + 1 // 6.1, without the backport of patch 2
	Linux612                    // 6.12, likewise
	Linux72                     // 7.2: the series' base and patch 2
	Base                        // mainline just before the series
	Patch3                      // base and patches 1 to 3
	Patch4                      // base and patches 1 to 4
	Linux73                     // 7.3: patches 1 to 5 and the DAX fix, as merged
	SeriesV2                    // all eight patches of the series' second version
)

const seven = OverwriteUnwritten | UnalignedShared | SingleOps | SplitAtEndIO

var variants = [...]struct {
	name string
	has  Behaviours
}{
	// Stable releases of 6.1 and 6.12 have patch 2 from some release on; whether
	// this one has it shows in what it does.
	Linux61:  {"linux-6.1", 0},
	Linux612: {"linux-6.12", OverwriteUnwritten | UnalignedShared},
	Linux72:  {"linux-7.2", seven | DrainFallback},
	Base:     {"base", seven},
	Patch3:   {"patch3", seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked},
	Patch4:   {"patch4", seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked | NeedsZeroing},
	Linux73: {"linux-7.3", seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked |
		NeedsZeroing | KiocbModified | DaxNowait | EncryptAligned},
	SeriesV2: {"series-v2", seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked |
		NeedsZeroing | KiocbModified | DaxNowait | EncryptAligned |
		CachedMissEagain | NowaitCachedBegin | NowaitCachedZeroing},
}

// String is the name by which users choose the variant, empty for none.
func (v Variant) String() string {
	if int(v) < len(variants) {
		return variants[v].name
	}
	return fmt.Sprintf("variant(%d)", uint8(v))
}

// Behaviours is what this variant does; empty for no variant.
func (v Variant) Behaviours() Behaviours {
	if int(v) < len(variants) {
		return variants[v].has
	}
	return 0
}

// Has reports whether the variant has every behaviour in want.
func (v Variant) Has(want Behaviours) bool { return v.Behaviours().Has(want) }

// Variants lists all variants, oldest first.
func Variants() []Variant {
	return []Variant{Linux61, Linux612, Linux72, Base, Patch3, Patch4, Linux73, SeriesV2}
}

// VariantNames lists the names of all variants in the order of Variants.
func VariantNames() []string {
	var out []string
	for _, v := range Variants() {
		out = append(out, v.String())
	}
	return out
}

// ParseVariant finds the variant with this name. The error lists the names that
// exist.
func ParseVariant(name string) (Variant, error) {
	for _, v := range Variants() {
		if v.String() == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("unknown variant %q: one of %s", name, strings.Join(VariantNames(), ", "))
}

// MarshalText writes the name.
func (v Variant) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a name; the empty text is no variant.
func (v *Variant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = 0
		return nil
	}
	got, err := ParseVariant(string(text))
	if err != nil {
		return err
	}
	*v = got
	return nil
}
