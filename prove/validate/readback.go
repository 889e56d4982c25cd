package validate

import (
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// wrote brings the shadow up to date with what became of a judged write. data is
// what it was to write.
func (f *scratch) wrote(w *Write, data []byte, out workload.Result) {
	pos := w.Pos
	if w.Flags&unix.RWF_APPEND != 0 {
		pos = f.Shadow.Size()
	}
	n := max(out.Ret(), 0)
	if n > 0 {
		f.Shadow.Write(pos, data[:n])
	}
	f.Shadow.Maybe(pos+n, data[n:])
}

// compare compares the file with what it has to hold. It names the differences, and
// where there are some the blocks.
func (f *scratch) compare() ([]string, error) {
	out, err := f.ReadBack()
	if err == nil && len(out) > 0 {
		if exts, err := workload.Extents(f.Buffered); err == nil {
			out = append(out, "blocks: "+layoutOf(exts, f.bs))
		}
	}
	return out, err
}
