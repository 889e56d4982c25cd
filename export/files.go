package export

import "github.com/ext4dio/ext4dio-trace/record"

// FileID names a file: see record.FileID.
type FileID = record.FileID

// Names finds the path of a file by one of its names. It must return at once, with ""
// when it does not know (yet).
type Names interface {
	Path(record.NameID) string
}

// Marks finds the mark that was in force at a time, ns of CLOCK_MONOTONIC; empty for none.
type Marks interface {
	MarkAt(t uint64) string
}

// File names the file.
func (r *Row) File() FileID { return FileID{Dev: r.Dev, Ino: r.Ino, Generation: r.Generation.V} }

// name is the path through which the file of a write was opened. A write of which that
// could not be read has none, whatever else the file is called; to one of a trace of before
// that was read, the file has one name.
func (m *Maker) name(id record.NameID, known bool) string {
	if m.Names == nil || known && id.Name == 0 {
		return ""
	}
	return m.Names.Path(id)
}

// KernelDev turns a device number as stat(2) gives it into the kernel's dev_t
// as the records hold it: major<<20 | minor.
func KernelDev(dev uint64) uint32 {
	major := dev>>8&0xfff | dev>>32&^0xfff
	minor := dev&0xff | dev>>12&^0xff
	return uint32(major<<20 | minor&(1<<20-1))
}
