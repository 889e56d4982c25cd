package sketch

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

//go:embed CONDITIONS.md
var table string

// Row is a condition, and one way in which it can be wrong: a row of CONDITIONS.md that names a
// fault.
type Row struct {
	Section           string   // a variant, or NoDifference
	Function          string   // of the kernel
	Condition, Wrong  string   // in words
	Scenarios, Fields []string // of validate, that notice it
	Fault             Fault
	Text              string // the whole row

	check string // whether check can notice it
}

// NoDifference is the section of the rows that no write shows.
const NoDifference = "No difference"

// Rows are those of CONDITIONS.md, in its order.
var Rows = sync.OnceValue(func() (out []Row) {
	section := ""
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if h, ok := strings.CutPrefix(line, "## "); ok {
			section = h
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		last, ok := strings.CutPrefix(cells[len(cells)-1], "`")
		condition, way, isFault := strings.Cut(strings.TrimSuffix(last, "`"), "/")
		if !ok || !isFault || len(cells) < 5 {
			continue
		}
		r := Row{Section: section, Function: cells[0], Condition: plain(cells[1]), Wrong: plain(cells[2]), Fault: Fault{condition, way}, Text: line}
		if len(cells) == 7 {
			r.Scenarios, r.Fields, r.check = strings.Split(cells[3], ", "), strings.Split(cells[4], ", "), cells[5]
		}
		out = append(out, r)
	}
	return out
})

// plain is a cell without the marks of code.
func plain(cell string) string { return strings.ReplaceAll(cell, "`", "") }

// needs is which patch brought a condition. The section patch3 has those that patch 4 took away.
var needs = map[string]model.Behaviours{
	"alloc-nowait": model.NowaitNoAlloc, "fallback-drain": model.DrainFallback, "aligned-unchecked": model.AlignedUnchecked,
	"needs-zeroing": model.NeedsZeroing, "upgrade-zeroing": model.NeedsZeroing, "wait-zeroing": model.NeedsZeroing, "zeroing-beyond": model.NeedsZeroing,
	"head-partial": model.NeedsZeroing, "head-block": model.NeedsZeroing, "head-length": model.NeedsZeroing, "head-ret": model.NeedsZeroing, "head-mapped": model.NeedsZeroing,
	"tail-partial": model.NeedsZeroing, "tail-block": model.NeedsZeroing, "tail-length": model.NeedsZeroing, "tail-ret": model.NeedsZeroing, "tail-mapped": model.NeedsZeroing,
	"tail-aligned": model.NeedsZeroing, "covers-tail": model.NeedsZeroing, "modified-nowait": model.KiocbModified,
	"miss": model.CachedMissEagain, "begin-cached": model.NowaitCachedBegin, "zeroing-cached": model.NowaitCachedZeroing,
}

// Of are the rows of which a kernel of a variant has the condition, and which make a difference.
func Of(v model.Variant) (out []*Row) {
	for i := range Rows() {
		r := &Rows()[i]
		need := needs[r.Fault.Condition]
		if r.Fault == (Fault{"modified", "error-ignored"}) {
			need = model.KiocbModified // before it there is none
		}
		gone := r.Section == "patch3" && v.Has(model.NeedsZeroing)
		if Can(v) && r.Section != NoDifference && !gone && v.Has(need) {
			out = append(out, r)
		}
	}
	return out
}

// Untold is a row that check notices, and of which the record of a right kernel's write does
// not hold what is needed to tell.
func (r *Row) Untold() bool { return r.check == "untold" }

// Hidden reports whether check notices a row by no single write on a variant, or that cannot
// be told of a write.
func (r *Row) Hidden(v model.Variant) bool {
	if n, ok := strings.CutPrefix(r.check, "since patch "); ok {
		patch, err := strconv.Atoi(n)
		return err != nil || patch < 1 || patch > model.Patches || !v.Has(model.PatchBehaviour(patch))
	}
	return r.check != "yes"
}
