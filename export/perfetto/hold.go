package perfetto

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
)

// Hold writes that somebody held i_rwsem of a file who made no recorded write. path is its
// name, empty when it is not known.
func (w *Writer) Hold(h *observe.Hold, path string) error {
	if !h.Got() {
		return nil
	}
	w.begin()
	r := export.Row{Dev: h.Dev, Ino: h.Ino, Generation: export.Some(h.Generation), Path: path}
	n := w.inode(&r)
	about := func() {
		w.noteText("comm", h.Comm)
		w.noteInt("pid", int64(h.Pid))
		w.noteInt("tid", int64(h.Tid))
		w.noteInt("pos", h.Pos)
		w.noteInt("len", h.Len)
		w.noteInt("queued_ns", int64(h.QueuedNs))
		w.noteInt("drain_ns", int64(h.DrainNs))
		if h.Bound() {
			w.noteText("bound", "when it took the lock, or let go of it, was not seen")
		}
	}
	w.slice(w.lane(n, others, h.From, h.To), h.From, h.To, h.Op+" of "+h.Comm+", "+modeText(h.Mode), "", about)
	if h.DrainNs > 0 {
		w.slice(w.lane(n, draining, h.DrainAt, h.DrainAt+h.DrainNs), h.DrainAt, h.DrainAt+h.DrainNs, "drain, "+h.Op, "", about)
	}
	return w.put(export.FlushBytes)
}
