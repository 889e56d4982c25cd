package observe

import "github.com/ext4dio/ext4dio-trace/record"

// Head holds fields of a record's head that stay as they are on the whole way: a verdict
// is kept for writes of the same Head, and a row has the Head of its write. A field that
// is added to the head of the records goes here.
type Head struct {
	Fmod     record.Fmod
	DioFlags uint8 // IOMAP_DIO_* given to iomap_dio_rw
	DioOps   record.Ops
}

// fill takes the fields out of w.
func (h *Head) fill(w *record.Write) {
	h.Fmod, h.DioFlags, h.DioOps = w.Fmod, w.DioFlags, w.DioOps
}
