package tracefile

import (
	"encoding/binary"
	"fmt"
	"math"
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
	bad := false
	for c := (cursor{raw, &bad}); len(c.b) > 0; {
		dev, ino, size := c.number(), c.number(), c.number()
		path := c.bytes(int(min(size, maxRaw+1)))
		if bad || dev > math.MaxUint32 {
			return fmt.Errorf("%w: a file name of %d bytes, only %d are left", ErrFormat, size, len(c.b))
		}
		// What a map takes besides the bytes counts, too.
		if n.size += 64 + len(path); n.size > maxNames {
			return fmt.Errorf("%w: more than %d bytes of file names", ErrFormat, maxNames)
		}
		if n.paths == nil {
			n.paths = map[fileID]string{}
		}
		n.paths[fileID{uint32(dev), ino}] = string(path)
	}
	return nil
}
