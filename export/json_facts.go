package export

import (
	"strconv"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// passFlagNames are the record.Pass* flags by bit. Those that say what of the
// record is valid have no name: other fields show it.
var passFlagNames = [...]string{"nosec", "extents", "", "", "encrypted", "inline", "journal", "dax"}

const passFlagBits = record.PassNosec | record.PassExtents | record.PassEncrypted | record.PassInline | record.PassJournal | record.PassDAX

// refusalNames are the record.Buf* flags by bit, with those of a pass.
var refusalNames = [...]string{"", "", "", "", "encrypted", "inline", "journal", "", "read", "data=journal", "delalloc", "has_journal"}

var fmodNames = [...]string{record.FmodNone: "", record.FmodFile: "file_modified", record.FmodKiocb: "kiocb_modified"}

var opsNames = [...]string{record.OpsUnknown: "", record.OpsIomap: "ext4_iomap_ops", record.OpsOverwrite: "ext4_iomap_overwrite_ops"}

// appendJSON appends the facts as the last field of a row.
func (f *Facts) appendJSON(dst []byte) []byte {
	dst = append(dst, `,"facts":{"blocksize":`...)
	dst = strconv.AppendUint(dst, 1<<f.Blkbits, 10)
	dst = append(dst, `,"pos":`...)
	dst = strconv.AppendInt(dst, f.Pos, 10)
	dst = append(dst, `,"len":`...)
	dst = strconv.AppendInt(dst, f.Len, 10)
	dst = append(dst, `,"i_size":`...)
	dst = strconv.AppendInt(dst, f.ISize, 10)
	dst = append(dst, `,"align":`...)
	dst = appendUint(dst, f.Align)
	dst = append(dst, `,"checks":[`...)
	for i := range f.Checks {
		dst = appendCheck(appendComma(dst, i), &f.Checks[i])
	}
	dst = append(dst, `],"in_flight":`...)
	dst = appendUint(dst, f.InFlight)
	dst = append(dst, `,"modified":`...)
	dst = appendText(dst, name(fmodNames[:], int(f.Modified)))
	dst = append(dst, `,"modified_ret":`...)
	dst = appendInt(dst, f.ModRet)
	dst = append(dst, `,"dio_flags":`...)
	dst = strconv.AppendUint(dst, uint64(f.DioFlags), 10)
	dst = append(dst, `,"ops":`...)
	dst = appendText(dst, name(opsNames[:], int(f.Ops)))
	dst = append(dst, `,"buffered":`...)
	dst = appendBuffered(dst, f.Buffered)
	dst = append(dst, `,"submit_ret":`...)
	dst = strconv.AppendInt(dst, f.SubmitRet, 10)
	dst = append(dst, `,"queued":`...)
	dst = strconv.AppendBool(dst, f.Queued)
	dst = append(dst, `,"completed":`...)
	return append(strconv.AppendBool(dst, f.Completed), '}')
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return ""
}

// appendCheck appends what one run of the write checks saw.
func appendCheck(dst []byte, p *observe.Pass) []byte {
	dst = append(dst, `{"lock":`...)
	dst = appendMode(dst, p.Lock)
	dst = append(dst, `,"pos":`...)
	dst = strconv.AppendInt(dst, p.Pos, 10)
	dst = append(dst, `,"len":`...)
	dst = strconv.AppendInt(dst, p.Count, 10)
	dst = append(dst, `,"i_size":`...)
	dst = strconv.AppendInt(dst, p.ISize, 10)
	dst = append(dst, `,"i_disksize":`...)
	dst = strconv.AppendInt(dst, p.IDisksize, 10)
	dst = append(dst, `,"align":`...)
	dst = appendUint(dst, Opt[uint32]{V: p.Align, Known: p.Flags&record.PassAlign != 0})
	dst = append(dst, `,"flags":[`...)
	dst = appendBits(dst, uint32(p.Flags&passFlagBits), passFlagNames[:], len(passFlagNames))
	return append(dst, ']', '}')
}

func appendBuffered(dst []byte, o Opt[observe.Buffered]) []byte {
	if !o.Known {
		return append(dst, "null"...)
	}
	b := &o.V
	dst = append(dst, `{"pos":`...)
	dst = strconv.AppendInt(dst, b.Pos, 10)
	dst = append(dst, `,"len":`...)
	dst = strconv.AppendInt(dst, b.Len, 10)
	dst = append(dst, `,"drained":`...)
	dst = strconv.AppendBool(dst, b.Drained)
	dst = append(dst, `,"copied":`...)
	dst = strconv.AppendBool(dst, b.Copied)
	dst = append(dst, `,"lock":`...)
	dst = appendMode(dst, b.CopyLock)
	dst = append(dst, `,"in_flight":`...)
	dst = strconv.AppendUint(dst, uint64(b.CopyDio), 10)
	dst = append(dst, `,"refused":[`...)
	// The alignment stands beside it.
	dst = appendBits(dst, uint32(b.Refused&^record.PassAlign), refusalNames[:], len(refusalNames))
	return append(dst, ']', '}')
}

// appendIomap appends type and flags of a mapping.
func appendIomap(dst []byte, typ, flags uint16) []byte {
	dst = append(dst, `,"type":`...)
	dst = appendName(dst, IomapType(typ))
	dst = append(dst, `,"flags":[`...)
	dst = appendBits(dst, uint32(flags), iomapFlagNames[:], 16)
	return append(dst, ']')
}

// appendAlloc appends how a mapping was looked up and allocated, and ends it. One
// without a lookup has null there.
func appendAlloc(dst []byte, m *observe.Mapping) []byte {
	dst = append(dst, `,"allocated":`...)
	dst = strconv.AppendBool(dst, m.Allocated())
	dst = append(dst, `,"alloc_flags":`...)
	dst = strconv.AppendUint(dst, uint64(m.AllocFlags), 10)
	dst = append(dst, `,"overwrite":`...)
	dst = strconv.AppendBool(dst, m.Overwrite)
	dst = append(dst, `,"lookup_flags":`...)
	dst = appendUint(dst, Opt[uint32]{V: m.LookupFlags, Known: m.LookedUp})
	dst = append(dst, `,"lookup_ret":`...)
	dst = appendInt(dst, Opt[int]{V: int(m.LookupRet), Known: m.LookedUp})
	return append(dst, '}')
}

func appendMode(dst []byte, l record.Lock) []byte {
	return appendText(dst, ModeName(l))
}

func appendUint(dst []byte, n Opt[uint32]) []byte {
	if !n.Known {
		return append(dst, "null"...)
	}
	return strconv.AppendUint(dst, uint64(n.V), 10)
}
