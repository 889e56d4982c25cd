package model

import "fmt"

// brokenTruths are the truths about every outcome that this one breaks.
func brokenTruths(o *Outcome, w *Write, in *Inode) []string {
	var out []string
	not := func(broken bool, format string, args ...any) {
		if broken {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	nowait := w.Flags&IocbNowait != 0
	// What the kernels between 7.2 and 7.3 ask of an encrypted inode is not known.
	open := in.Direct.Encrypt == Yes && in.Direct.InlineCrypt == No
	not(o.End == EndUnknown && !open, "all facts are known, but the decision stopped: %s", o.Missing)
	not(nowait && o.Passes > 1, "NOWAIT, and two passes")
	not(nowait && o.Drain == Yes, "NOWAIT, and inode_dio_wait")
	not(nowait && o.ForceWait == Yes, "NOWAIT, and IOMAP_DIO_FORCE_WAIT")
	not(nowait && o.Fallback.Len != 0, "NOWAIT, and bytes copied through the page cache")
	not(o.Mode == Shared && o.Drain == Yes, "shared, and inode_dio_wait")
	not(o.Mode == Shared && o.ForceWait == Yes, "shared, and IOMAP_DIO_FORCE_WAIT")
	not(o.Mode == Shared && o.Extend, "shared, and extending")
	not(o.Mode == Shared && !in.Nosec, "shared, and not IS_NOSEC")
	not(o.Queued && o.ForceWait == Yes, "queued, and IOMAP_DIO_FORCE_WAIT")
	not(o.Queued && !w.Async, "queued, and a synchronous kiocb")
	not(o.Fallback.Len != 0 && o.FallbackDrain != o.Variant.Has(DrainFallback), "the drain of the fallback is not the variant's")
	not(o.Result > w.Len, "%d bytes of %d", o.Result, w.Len)
	not(o.End != EndDio && o.Ended != SubmitNone, "%s, but iomap_dio_rw ended: %s", o.End, o.Ended)
	not(o.End == EndDio && o.Ended == SubmitNone, "iomap_dio_rw did not end")
	return append(out, o.brokenMappings(w, in)...)
}

// brokenMappings are those about the mappings and what was zeroed.
func (o *Outcome) brokenMappings(w *Write, in *Inode) []string {
	var out []string
	nowait := w.Flags&IocbNowait != 0
	first := w.Pos
	if w.Flags&IocbAppend != 0 {
		first = in.ISize
	}
	at := uint64(first) >> in.Blkbits
	for i, m := range o.Mappings {
		switch {
		case m.Err != 0:
			if i != len(o.Mappings)-1 {
				out = append(out, "a mapping after an error")
			}
			continue
		case uint64(m.Lblk) != at || m.Len == 0:
			out = append(out, fmt.Sprintf("mapping (%d,%d) does not begin at block %d", m.Lblk, m.Len, at))
		case m.Alloc != 0 && nowait && o.Variant.Has(NowaitNoAlloc):
			out = append(out, "NOWAIT, and blocks allocated")
		}
		at += uint64(m.Len)
	}
	bs := int64(1) << in.Blkbits
	for _, z := range o.Zeroed {
		if z.Len <= 0 || z.Len >= bs || z.Pos/bs != (z.Pos+z.Len-1)/bs {
			out = append(out, fmt.Sprintf("zeroed %d+%d is no part of one block", z.Pos, z.Len))
		}
		if o.Mode == Shared && z.Pos < in.ISize {
			out = append(out, "zeroed inside i_size under the shared lock")
		}
		// 6.1 judges the alignment by what the caller asked for, not by what is written.
		quiet := o.Drain == Yes && o.ForceWait == Yes
		if o.Variant.Has(UnalignedShared) && z.Pos < in.ISize && !quiet {
			out = append(out, "zeroed inside i_size without a drain, or without a wait")
		}
	}
	return out
}
