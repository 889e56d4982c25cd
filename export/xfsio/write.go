package xfsio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// write repeats r.
func (w *Writer) write(f *file, r *export.Row) {
	w.line("")
	w.describe(f, r)
	w.layOut(f, r)
	if c := lastCheck(r); c != nil && c.Flags&record.PassNosec == 0 {
		w.line(xfsio.Unprime(f.word))
	}
	has := func(flag uint32) bool { return r.KiFlags&flag != 0 }
	nowait := has(export.KiNowait)
	line := ""
	if nowait && r.Facts.ModRet.Known && r.Facts.ModRet.V == 0 {
		line = xfsio.Touch(f.word)
	}
	options := "-d"
	if has(export.KiAppend) {
		options += " -a"
	}
	if has(export.KiSync) {
		options += " -s"
	}
	block, vectors := segments(r)
	line += xfsio.Line(options, f.word, xfsio.Write{
		Off: r.Facts.Pos, Len: r.Len, Block: block, Vectors: vectors, Quiet: true, NoWait: nowait,
		DSync:   has(export.KiDSync) && !has(export.KiSync),
		Pattern: xfsio.Pattern(w.writes),
	}.String())
	if w.test != nil {
		w.test.line(w, f, r, line)
	} else {
		if nowait || !r.Ret.Known || r.Ret.V != r.Len {
			line += xfsio.Ignored
		}
		w.line(line)
	}
	f.after(r)
}

// describe says what the write was and what became of it.
func (w *Writer) describe(f *file, r *export.Row) {
	what := []string{fmt.Sprintf("Write %d: %d bytes at %d", w.writes, r.Len, r.Pos)}
	if r.Lock.Known {
		what = append(what, "lock "+r.Lock.V.String())
	}
	if r.Passes.Known {
		what = append(what, fmt.Sprintf("passes %d", r.Passes.V))
	}
	if export.Is(r.Drained, true) {
		what = append(what, "drained")
	}
	if r.Ret.Known {
		what = append(what, "returned "+export.Result(r.Ret.V))
	}
	w.comment("%s", strings.Join(what, ", "))
	if r.Verdict.Known {
		w.comment("  %s (%s): %s", r.Verdict.V, r.Variant, strings.Join(append(slices.Clone(r.Rules), r.ReasonText()), ", "))
		if r.Disagrees() && len(r.Why) > 1 {
			for _, why := range r.Why[1:] {
				w.comment("  %s", why)
			}
		}
	}
	for _, note := range notes(f, r) {
		w.comment("  %s", note)
	}
	if end := r.TimeNs + r.LatencyNs.V; r.LatencyNs.Known {
		f.busy = max(f.busy, end)
	}
}

// hasOddMemory reports whether the memory of r was aligned to less than a block, and to
// less than its length.
func hasOddMemory(r *export.Row) bool {
	mask := uint32(1)<<r.Facts.Blkbits - 1
	return r.Facts.Align.Known && r.Facts.Align.V&mask&^uint32(r.Facts.Len) != 0
}

// segments are the size and the number of segments in which r is repeated. The memory
// of xfs_io is page-aligned, but that of its segments is as large as they are: that is
// how it comes to the alignment of r, which is all that the kernel looks at.
func segments(r *export.Row) (block int64, n int) {
	if !hasOddMemory(r) {
		return r.Len, 1
	}
	block = int64(r.Facts.Align.V & -r.Facts.Align.V)
	if r.Len%block != 0 || r.Len/block > xfsio.MaxVectors {
		return r.Len, 1
	}
	return block, int(r.Len / block)
}

// notes are what this script does not repeat of r.
func notes(f *file, r *export.Row) []string {
	var out []string
	if r.TimeNs < f.busy {
		out = append(out, "it began before the write before it on this file had ended")
	}
	switch r.Caller {
	case record.CallerSync, record.CallerUnknown:
	default:
		out = append(out, "it came from "+r.Caller.String()+"; here it is pwrite(2)")
	}
	if a := r.Facts.Align; hasOddMemory(r) {
		text := "here it is one page-aligned buffer"
		if block, n := segments(r); n > 1 {
			text = fmt.Sprintf("here it has segments of %d bytes", block)
		}
		out = append(out, fmt.Sprintf("its memory or a segment of it was aligned to %d bytes only; %s", a.V&-a.V, text))
	}
	for _, name := range r.FlagNames() {
		switch name {
		case "ATOMIC", "HIPRI", "DONTCACHE":
			out = append(out, "it had IOCB_"+name+"; here it has not")
		}
	}
	for _, l := range r.Lookups {
		if l.State == model.Delayed {
			out = append(out, fmt.Sprintf("block %d was delayed: that is not laid out", l.Lblk))
			break
		}
	}
	if r.Incomplete != "" {
		out = append(out, "the record is incomplete: "+r.Incomplete)
	}
	return out
}

// after notes what became of the file.
func (f *file) after(r *export.Row) {
	from, to := r.Pos>>f.blkbits, blocksUp(r.Pos+r.Len, f.blkbits)
	switch {
	case r.Ret.Known && r.Ret.V > 0:
		end := r.Pos + min(r.Ret.V, r.Len)
		f.blocks.set(from, blocksUp(end, f.blkbits), written)
		f.size = max(f.size, end)
		if r.Ret.V < r.Len {
			f.blocks.set(blocksUp(end, f.blkbits), to, unknown)
		}
	case len(r.Mappings) > 0 || !r.Ret.Known:
		f.blocks.set(from, to, unknown)
		if r.Pos+r.Len > f.size {
			f.size = -1
		}
	}
}
