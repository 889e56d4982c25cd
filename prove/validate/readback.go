package validate

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// readBackChunk is how much is read at a time.
const readBackChunk = 1 << 20

// wrote brings the shadow up to date with what became of a judged write. data is
// what it was to write.
func (f *scratch) wrote(w *Write, data []byte, out workload.Result) {
	pos := w.Pos
	if w.Flags&unix.RWF_APPEND != 0 {
		pos = f.shadow.Size()
	}
	n := 0
	if out.Err == nil {
		n = out.N
	}
	if n > 0 {
		f.shadow.Write(pos, data[:n])
	}
	f.shadow.Maybe(pos+int64(n), data[n:])
}

// readBack compares the file with what it has to hold: with O_DIRECT, and through
// the page cache after it was dropped. It names the differences.
func (f *scratch) readBack() ([]string, error) {
	var out []string
	direct, err := f.readAll(f.direct)
	if err != nil {
		return nil, fmt.Errorf("read back with O_DIRECT: %w", err)
	}
	if why := f.shadow.Compare(direct); why != "" {
		out = append(out, "read with O_DIRECT: "+why)
	}
	if err := workload.SyncAndDrop(f.buffered); err != nil {
		return nil, err
	}
	cached, err := f.readAll(f.buffered)
	if err != nil {
		return nil, fmt.Errorf("read back through the page cache: %w", err)
	}
	if why := f.shadow.Compare(cached); why != "" {
		out = append(out, "read through the page cache: "+why)
	}
	if len(out) > 0 {
		if exts, err := workload.Extents(f.buffered); err == nil {
			out = append(out, "blocks: "+layoutOf(exts, f.bs))
		}
	}
	return out, nil
}

// readAll reads the file from its beginning to its end.
func (f *scratch) readAll(fd int) ([]byte, error) {
	out := make([]byte, 0, f.shadow.Size()+f.bs)
	for {
		n, err := unix.Pread(fd, f.buf.Bytes()[:readBackChunk], int64(len(out)))
		if err != nil {
			return nil, err
		}
		out = append(out, f.buf.Bytes()[:n]...)
		if n < readBackChunk {
			return out, nil
		}
	}
}
