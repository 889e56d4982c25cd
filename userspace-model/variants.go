package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variant is one version of ext4's direct-write decisions: in the low byte the row of
// variants, which has a name of its own, and above it the patches of the series (bit
// N-1 for patch N) in which it differs from that. The zero value is no variant.
type Variant uint32

// rowBits is where the patches begin in a Variant; there is room for 24.
const rowBits = 8

// The variants that code and tests name, in the order of variants.
const (
	Linux61   Variant = iota + 1 // 6.1, without the backport of patch 2
	Linux612                     // 6.12, likewise
	Linux72                      // 7.2: the series' base and patch 2
	Base                         // mainline just before the series
	Patch3                       // base and patches 1 to 3
	Patch4                       // base and patches 1 to 4
	Linux73                      // 7.3: patches 1 to 5, as merged
	SeriesV2                     // all eight patches of the series' second version
	LinuxNext                    // 7.3 and the patches 6 to 8
)

// variantRow is all that is known of a variant.
type variantRow struct {
	name  string
	since string // the kernel or the patches that brought it, in words
	has   Behaviours
	// open are the patches that some stable releases of the kernel have by a backport. A
	// kernel's writes show whether it has them.
	open Behaviours
	// vague are behaviours of which it is not known whether the variant has them: no source
	// of such a kernel was read.
	vague Behaviours
	// foreign are the patches that cannot be backported: the kernel lacks the code that they
	// change.
	foreign Behaviours
	// signs are the symbols and struct members by which such a kernel is told.
	signs Evidence
	// preference orders the variants that fit what was seen: the detector judges by the
	// lowest, which promises least beyond it.
	preference int
	// other is the variant with which the screen compares it at first.
	other Variant
}

const (
	seven   = OverwriteUnwritten | UnalignedShared | SingleOps | SplitAtEndIO
	merged  = NowaitNoAlloc | DrainFallback | AlignedUnchecked | NeedsZeroing | KiocbModified
	linux73 = seven | merged | EncryptAligned
)

// variants has a row for each, oldest first; row 0 is no variant.
var variants = [...]variantRow{
	Linux61: {
		name: "linux-6.1", since: "6.1", open: DrainFallback,
		foreign: AlignedUnchecked | NeedsZeroing | NowaitCachedZeroing,
		signs:   Evidence{OverwriteBegin: Yes, IovMember: Yes, IomapNext: No}, preference: 8, other: Linux73,
	},
	Linux612: {
		name: "linux-6.12", since: "6.5", has: OverwriteUnwritten | UnalignedShared, open: DrainFallback,
		signs: Evidence{OverwriteBegin: Yes, IovMember: No, IomapNext: No}, preference: 7, other: Linux73,
	},
	Linux72: {
		name: "linux-7.2", since: "7.2", has: seven | DrainFallback,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: No}, preference: 5, other: Linux73,
	},
	Base: {
		name: "base", since: "7.2 without patch 2", has: seven, vague: EncryptAligned,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 6, other: Linux73,
	},
	Patch3: {
		name: "patch3", since: "patches 1 to 3 of the series", vague: EncryptAligned,
		has:   seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 4, other: Linux73,
	},
	Patch4: {
		name: "patch4", since: "patches 1 to 4 of the series", vague: EncryptAligned,
		has:   seven | NowaitNoAlloc | DrainFallback | AlignedUnchecked | NeedsZeroing,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 3, other: Linux73,
	},
	Linux73: {
		name: "linux-7.3", since: "7.3, patches 1 to 5", has: linux73,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 1, other: SeriesV2,
	},
	SeriesV2: {
		name: "series-v2", since: "all eight patches of the series, v2", has: linux73 | CachedMissEagain | NowaitCachedBegin | NowaitCachedZeroing,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 2, other: SeriesV2,
	},
	LinuxNext: {
		name: "linux-next", since: "7.3 with patches 6 to 8, not merged", has: linux73 | CachedMissEagain | NowaitCachedBegin | NowaitCachedZeroing,
		signs: Evidence{OverwriteBegin: No, IovMember: No, IomapNext: Yes}, preference: 9, other: Linux73,
	},
}

// patches has what each patch of the series changed, and its subject, shortened.
var patches = [...]struct {
	has   Behaviours
	title string
}{
	{NowaitNoAlloc, "no sleeping allocation under NOWAIT"},
	{DrainFallback, "drain direct I/O before the buffered fallback"},
	{AlignedUnchecked, "no overwrite check for aligned writes inside i_size"},
	{NeedsZeroing, "unaligned writes: lock by partial block zeroing"},
	{KiocbModified, "kiocb_modified instead of file_modified"},
	{CachedMissEagain, "cache-only lookup that misses: -EAGAIN"},
	{NowaitCachedBegin, "ext4_iomap_begin under NOWAIT: cache-only lookup"},
	{NowaitCachedZeroing, "ext4_dio_needs_zeroing under NOWAIT: cache-only lookup"},
}

// Patches is the number of patches in the series.
const Patches = len(patches)

// PatchBehaviour is what patch n of the series, from 1 to Patches, changed.
func PatchBehaviour(n int) Behaviours { return patches[n-1].has }

// PatchTitle is the subject of patch n of the series, from 1 to Patches, shortened.
func PatchTitle(n int) string { return patches[n-1].title }

// PatchOf is the patch of the series that brought a behaviour, 0 for none of them.
func PatchOf(b Behaviours) int {
	for i := range patches {
		if patches[i].has == b {
			return i + 1
		}
	}
	return 0
}

// row is the row of v; that of no variant is empty.
func (v Variant) row() *variantRow {
	if named := int(v.Named()); named < len(variants) {
		return &variants[named]
	}
	return &variants[0]
}

// Named is the variant with a name of its own from which v is made.
func (v Variant) Named() Variant { return v & (1<<rowBits - 1) }

// differs reports whether v differs from its row in patch n.
func (v Variant) differs(n int) bool { return v>>(rowBits+n-1)&1 != 0 }

// WithPatch is the variant that holds patch n of the series, or does not, and is
// otherwise like v; one with a name of its own where there is one. A patch for which
// the kernel has no code cannot be held.
func (v Variant) WithPatch(n int, held bool) Variant {
	change := patches[n-1].has
	if v.Has(change) == held || v.row().foreign.Has(change) {
		return v
	}
	return (v ^ 1<<(rowBits+n-1)).Alike()
}

// Alike is the oldest variant with a name of its own that decides as v does, or v.
func (v Variant) Alike() Variant {
	for i := range variants[1:] {
		if known := Variant(i + 1); known.Behaviours() == v.Behaviours() {
			return known
		}
	}
	return v
}

// String is the name by which users choose the variant, empty for none:
// "linux-7.3", and "linux-6.12+patch2" or "linux-7.3-patch1" for one that holds a
// patch more or less.
func (v Variant) String() string {
	if int(v.Named()) >= len(variants) {
		return fmt.Sprintf("variant(%d)", uint32(v))
	}
	name := v.row().name
	for n := 1; n <= Patches; n++ {
		if !v.differs(n) {
			continue
		}
		sign := "+"
		if v.row().has.Has(patches[n-1].has) {
			sign = "-"
		}
		name += sign + "patch" + strconv.Itoa(n)
	}
	return name
}

// Behaviours are those of this variant; none for no variant.
func (v Variant) Behaviours() Behaviours {
	if v.Named() == 0 || int(v.Named()) >= len(variants) {
		return 0
	}
	has := variants[v.Named()].has
	for n := 0; v>>(rowBits+n) != 0; n++ {
		if v>>(rowBits+n)&1 != 0 {
			has ^= patches[n].has
		}
	}
	return has
}

// Since names the kernel or the patches that brought the variant.
func (v Variant) Since() string { return v.row().since }

// Open are the behaviours that some stable releases of this kernel have. The variant by
// its own name lacks them.
func (v Variant) Open() Behaviours { return v.row().open }

// Vague are the behaviours of which it is not known whether the variant has them.
func (v Variant) Vague() Behaviours { return v.row().vague }

// Signs are the symbols and struct members by which a kernel of this variant is told.
func (v Variant) Signs() Evidence { return v.row().signs }

// Preference is the place in which the variant is taken while several fit, from 1.
func (v Variant) Preference() int { return v.row().preference }

// Other is the variant with which this one is compared when none is named.
func (v Variant) Other() Variant {
	if v != v.Named() {
		return Linux73
	}
	return v.row().other
}

// Written is the variant with a name of its own for which the answers to v are written
// down, 0 if there is none. What v leaves open to stable releases is not told apart.
func (v Variant) Written() Variant {
	if n := PatchOf(v.Open()); n != 0 {
		v = v.WithPatch(n, false)
	}
	if v != v.Named() {
		return 0
	}
	return v
}

// Has reports whether the variant has every behaviour in want.
func (v Variant) Has(want Behaviours) bool { return v.Behaviours().Has(want) }

// Variants lists all variants, oldest first.
func Variants() []Variant {
	out := make([]Variant, 0, len(variants))
	for i := range variants[1:] {
		out = append(out, Variant(i+1))
	}
	return out
}

// Distinct lists the variants of which no older one decides alike.
func Distinct() []Variant {
	return slices.DeleteFunc(Variants(), func(v Variant) bool { return v.Alike() != v })
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
		if after, ok := strings.CutPrefix(name, known.String()); ok && len(known.String()) > len(v.String()) {
			v, rest = known, after // linux-7.3 begins as linux-7.30 would
		}
	}
	if v == 0 {
		return 0, unknown
	}
	for rest != "" {
		held, n, after := cutPatch(rest)
		if n == 0 {
			return 0, unknown
		}
		switch change := patches[n-1].has; {
		case v.row().foreign.Has(change):
			return 0, fmt.Errorf("variant %q: %s has no code that patch %d changes", name, v.row().name, n)
		case v.Has(change) == held:
			word := map[bool]string{true: "holds", false: "does not hold"}
			return 0, fmt.Errorf("variant %q: %s %s patch %d already", name, v, word[held], n)
		}
		v, rest = v.WithPatch(n, held), after
	}
	return v, nil
}

// cutPatch reads "+patchN" or "-patchN" at the beginning of text; n is 0 if it is
// neither, or not a patch of the series.
func cutPatch(text string) (held bool, n int, after string) {
	held = text[0] == '+'
	digits, ok := strings.CutPrefix(text[1:], "patch")
	if !held && text[0] != '-' || !ok {
		return held, 0, text
	}
	after = strings.TrimLeft(digits, "0123456789")
	n, err := strconv.Atoi(strings.TrimSuffix(digits, after))
	if err != nil || n > Patches || digits[0] == '0' {
		return held, 0, text
	}
	return held, n, after
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
