package tracefile

import (
	"encoding/binary"
	"fmt"
)

// fileID names an inode.
type fileID struct {
	dev uint32
	ino uint64
}

// appendName adds one name of a KindNames chunk: device number as in the records,
// inode, length of the path, path.
func appendName(dst []byte, id fileID, path string) []byte {
	dst = binary.AppendUvarint(dst, uint64(id.dev))
	dst = binary.AppendUvarint(dst, id.ino)
	dst = binary.AppendUvarint(dst, uint64(len(path)))
	return append(dst, path...)
}

// names are those of a trace, as far as they were read.
type names struct {
	paths map[fileID]string
	size  int
}

// read takes the names of one chunk. A later one replaces an earlier one.
func (n *names) read(raw []byte) error {
	for len(raw) > 0 {
		var v [3]uint64
		for i := range v {
			x, k := binary.Uvarint(raw)
			if k <= 0 {
				return fmt.Errorf("%w: a file name is damaged", ErrFormat)
			}
			v[i], raw = x, raw[k:]
		}
		if v[0] > 1<<32-1 || v[2] > uint64(len(raw)) {
			return fmt.Errorf("%w: a file name of %d bytes, only %d are left", ErrFormat, v[2], len(raw))
		}
		// What a map takes besides the bytes counts, too.
		if n.size += 64 + int(v[2]); n.size > maxNames {
			return fmt.Errorf("%w: more than %d bytes of file names", ErrFormat, maxNames)
		}
		if n.paths == nil {
			n.paths = map[fileID]string{}
		}
		n.paths[fileID{uint32(v[0]), v[1]}] = string(raw[:v[2]])
		raw = raw[v[2]:]
	}
	return nil
}
