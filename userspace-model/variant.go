package model

import (
	"fmt"
	"slices"
	"strings"
)

// Variant is one version of ext4's direct-write decisions: one that has a name of
// its own, in the low byte, and in the high byte the patches of the series (bit
// N-1 for patch N) in which it differs from that. The zero value is no variant.
type Variant uint16

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
	// open is what the releases of one kernel differ in: some have it, and whether
	// this one does shows in what it does.
	open Behaviours
}{
	// Stable releases of 6.1 and 6.12 have patch 2 from some release on.
	Linux61:  {name: "linux-6.1", open: DrainFallback},
	Linux612: {name: "linux-6.12", has: OverwriteUnwritten | UnalignedShared, open: DrainFallback},
	Linux72:  {name: "linux-7.2", has: seven | DrainFallback},
	Base:     {name: "base", has: seven},
	Patch3:   {name: "patch3", has: seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked},
	Patch4:   {name: "patch4", has: seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked | NeedsZeroing},
	Linux73: {name: "linux-7.3", has: seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked |
		NeedsZeroing | KiocbModified | EncryptAligned},
	SeriesV2: {name: "series-v2", has: seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked |
		NeedsZeroing | KiocbModified | EncryptAligned |
		CachedMissEagain | NowaitCachedBegin | NowaitCachedZeroing},
}

// Patches is the number of patches in the series.
const Patches = 8

// patches holds what each patch of the series changed.
var patches = [Patches]Behaviours{
	NowaitNoAlloc, DrainFallback, AlignedUnchecked, NeedsZeroing, KiocbModified,
	CachedMissEagain, NowaitCachedBegin, NowaitCachedZeroing,
}

// titles are the patches' subjects, shortened.
var titles = [Patches]string{
	"no sleeping allocation under NOWAIT",
	"drain direct I/O before the buffered fallback",
	"no overwrite check for aligned writes inside i_size",
	"unaligned writes: lock by partial block zeroing",
	"kiocb_modified instead of file_modified",
	"cache-only lookup that misses: -EAGAIN",
	"ext4_iomap_begin under NOWAIT: cache-only lookup",
	"ext4_dio_needs_zeroing under NOWAIT: cache-only lookup",
}

// PatchBehaviour is what patch n of the series, from 1 to Patches, changed.
func PatchBehaviour(n int) Behaviours { return patches[n-1] }

// PatchTitle is the subject of patch n of the series, from 1 to Patches, shortened.
func PatchTitle(n int) string { return titles[n-1] }

// PatchOf is the patch of the series that brought a behaviour, 0 for none of them.
func PatchOf(b Behaviours) int { return slices.Index(patches[:], b) + 1 }

// Named is the variant with a name of its own from which v is made.
func (v Variant) Named() Variant { return v & 0xff }

// WithPatch is the variant that holds patch n of the series, or does not, and is
// otherwise like v; one with a name of its own where there is one.
func (v Variant) WithPatch(n int, held bool) Variant {
	if v.Has(patches[n-1]) == held {
		return v
	}
	v ^= 1 << (8 + n - 1)
	for _, known := range Variants() {
		if known.Behaviours() == v.Behaviours() {
			return known
		}
	}
	return v
}

// String is the name by which users choose the variant, empty for none:
// "linux-7.3", and "linux-6.12+patch2" or "linux-7.3-patch1" for one that holds a
// patch more or less.
func (v Variant) String() string {
	named := int(v.Named())
	if named >= len(variants) {
		return fmt.Sprintf("variant(%d)", uint16(v))
	}
	name := variants[named].name
	for n := range Patches {
		if v>>(8+n)&1 == 0 {
			continue
		}
		sign := "+"
		if variants[named].has.Has(patches[n]) {
			sign = "-"
		}
		name += fmt.Sprintf("%spatch%d", sign, n+1)
	}
	return name
}

// Behaviours is what this variant does; empty for no variant.
func (v Variant) Behaviours() Behaviours {
	named := int(v.Named())
	if named == 0 || named >= len(variants) {
		return 0
	}
	has := variants[named].has
	for n := 0; v>>(8+n) != 0; n++ {
		if v>>(8+n)&1 != 0 {
			has ^= patches[n]
		}
	}
	return has
}

// Open is what kernels of this variant do or do not do, by their stable release. The
// variant by its own name does not do it.
func (v Variant) Open() Behaviours {
	named := int(v.Named())
	if named >= len(variants) {
		return 0
	}
	return variants[named].open
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

// ParseVariant finds the variant with this name: one of VariantNames, with patches
// that it holds besides (+patch1) or does not hold (-patch1) behind it. The error
// lists the names that exist.
func ParseVariant(name string) (Variant, error) {
	unknown := fmt.Errorf("unknown variant %q: one of %s, and +patchN or -patchN behind it",
		name, strings.Join(VariantNames(), ", "))
	var v Variant
	rest := ""
	for _, known := range Variants() {
		// No name of one is the beginning of another's.
		if after, ok := strings.CutPrefix(name, known.String()); ok {
			v, rest = known, after
		}
	}
	if v == 0 {
		return 0, unknown
	}
	for rest != "" {
		held := rest[0] == '+'
		after, ok := strings.CutPrefix(rest[1:], "patch")
		if !held && rest[0] != '-' || !ok || after == "" || after[0] < '1' || after[0] > '0'+Patches {
			return 0, unknown
		}
		n := int(after[0] - '0')
		if v.Has(patches[n-1]) == held {
			word := map[bool]string{true: "holds", false: "does not hold"}
			return 0, fmt.Errorf("variant %q: %s %s patch %d already", name, v, word[held], n)
		}
		v, rest = v.WithPatch(n, held), after[1:]
	}
	return v, nil
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
