package model

import (
	"fmt"
	"strings"
	"testing"
)

// outcome is the answer of the commands outcome and compare: one line,
//
//	checks | mappings | zeroed | rest
//
// or, for a write that does not come to iomap_dio_rw, its end and its result.
func outcome(t testing.TB, r *row, v Variant) (text string, broken []string) {
	w, in := r.write(t), r.inode(t)
	var o Outcome
	if err := Predict(&o, w, in, v); err != nil {
		return err.Error(), nil
	}
	return outcomeText(&o, in), brokenTruths(&o, w, in)
}

func outcomeText(o *Outcome, in *Inode) string {
	world := &layout{in: in, v: o.Variant}
	switch o.End {
	case EndDio:
		return fmt.Sprintf("%s | %s | %s | %s", checksText(&o.Decision, world), mappingsText(o), zeroedText(o), restText(o))
	case EndEntry:
		return fmt.Sprintf("entry | %d", o.Result)
	case EndDAX:
		return "DAX"
	case EndBuffered:
		return "no direct I/O | " + restText(o)
	case EndChecks:
		return fmt.Sprintf("write checks | %d", o.Result)
	case EndUnknown:
		return "unknown: " + o.Missing
	default:
		return fmt.Sprintf("%s | %d", checksText(&o.Decision, world), o.Result)
	}
}

// mappingsText lists what ext4_iomap_begin gave: W(lblk,len) for IOMAP_MAPPED, U for
// IOMAP_UNWRITTEN, * for IOMAP_F_NEW, and the flags of the call that allocated.
func mappingsText(o *Outcome) string {
	var out []string
	if o.Overwrite {
		out = append(out, "overwrite_ops")
	}
	for _, m := range o.Mappings {
		if m.Err != 0 {
			out = append(out, fmt.Sprint(m.Err))
			continue
		}
		s := map[uint16]string{IomapMapped: "W", IomapUnwritten: "U"}[m.Type]
		if m.Flags&IomapFNew != 0 {
			s += "*"
		}
		s += fmt.Sprintf("(%d,%d)", m.Lblk, m.Len)
		if m.Alloc != 0 {
			s += fmt.Sprintf("%#x", m.Alloc)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, " ")
}

func zeroedText(o *Outcome) string {
	var out []string
	for _, z := range o.Zeroed {
		out = append(out, fmt.Sprintf("%d+%d", z.Pos, z.Len))
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, " ")
}

// restText is what follows the mappings: orphan list, queue, fallback, result.
func restText(o *Outcome) string {
	var out []string
	if o.Extend && o.End == EndDio {
		out = append(out, "orphan")
	}
	if o.Queued {
		out = append(out, "queued")
	}
	if o.Fallback.Len != 0 {
		out = append(out, fmt.Sprintf("buffered %d+%d", o.Fallback.Pos, o.Fallback.Len))
		if o.FallbackDrain {
			out = append(out, "drain")
		}
	}
	switch o.Ended {
	case SubmitN5, SubmitN6:
		out = append(out, o.Ended.String())
	case SubmitAtomic:
		out = append(out, "atomic")
	case SubmitFallback:
		if o.Result == EOPNOTSUPP {
			out = append(out, "N0")
		}
	case SubmitError:
		out = append(out, "error")
	}
	return strings.Join(append(out, fmt.Sprint(o.Result)), " ")
}

// allVariants stands for the names of all variants where they agree.
const allVariants = "all"

// compareText is the outcome of all variants, equal ones on one line.
func compareText(t testing.TB, r *row) string {
	var order []string
	names := map[string][]string{}
	for _, v := range Variants() {
		if v.Alike() != v {
			continue // its answers are those of another
		}
		text, _ := outcome(t, r, v)
		if names[text] == nil {
			order = append(order, text)
		}
		names[text] = append(names[text], v.String())
	}
	var b strings.Builder
	for _, text := range order {
		group := strings.Join(names[text], ", ")
		if len(order) == 1 {
			group = allVariants
		}
		fmt.Fprintf(&b, "  %s: %s\n", group, text)
	}
	return b.String()
}

// differsFromInode holds a scripted check phase against that of the inode which is
// drawn by the same row, if there is one.
func differsFromInode(t testing.TB, r *row, d *Decision, v Variant) []string {
	if r.isScripted() {
		return nil
	}
	w, in := r.write(t), r.inode(t)
	var o Outcome
	if err := Predict(&o, w, in, v); err != nil {
		return []string{err.Error()}
	}
	world := &layout{in: in, v: v}
	if a, b := checksText(d, r.scene()), checksText(&o.Decision, world); a != b {
		return []string{fmt.Sprintf("script: %s\n inode: %s", a, b)}
	}
	return nil
}
