package tracefile

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
)

// appendName adds one name of a KindFiles chunk: device number as in the records, inode,
// generation, number of the name, length of the path, path.
func appendName(dst []byte, id record.NameID, path string) []byte {
	for _, n := range [...]uint64{uint64(id.Dev), id.Ino, uint64(id.Generation), uint64(id.Name), uint64(len(path))} {
		dst = binary.AppendUvarint(dst, n)
	}
	return append(dst, path...)
}

// names are those of a trace, as far as they were read. What a file was called last is
// under the name 0, too.
type names struct {
	paths map[record.NameID]string
	size  int
}

// read takes the names of one chunk. A later one replaces an earlier one of the same id.
// When there is no room for more, a file has none.
func (n *names) read(kind Kind, raw []byte) error {
	bad := false
	for c := (cursor{raw, &bad}); len(c.b) > 0; {
		var generation, name uint64
		dev, ino := c.number(), c.number()
		if kind == KindFiles {
			generation, name = c.number(), c.number()
		}
		size := c.number()
		path := c.bytes(int(min(size, maxRaw+1)))
		if bad || max(dev, generation, name) > math.MaxUint32 {
			return fmt.Errorf("%w: a file name of %d bytes, only %d are left", ErrFormat, size, len(c.b))
		}
		n.put(record.NameID{FileID: record.FileID{Dev: uint32(dev), Ino: ino, Generation: uint32(generation)}, Name: uint32(name)}, path)
	}
	return nil
}

func (n *names) put(id record.NameID, path []byte) {
	const entry = 64 // what a map takes besides the bytes counts, too
	if n.size += 2*entry + len(path); n.size > maxNames {
		return
	}
	if n.paths == nil {
		n.paths = map[record.NameID]string{}
	}
	text := string(path)
	n.paths[id] = text
	n.paths[record.NameID{FileID: id.FileID}] = text
}

// readMounts adds the file systems of a KindMounts chunk.
func (i *Info) readMounts(raw []byte) error {
	var later []ext4fs.Mount
	if err := json.Unmarshal(raw, &later); err != nil {
		return fmt.Errorf("%w: file systems that were mounted later: %w", ErrFormat, err)
	}
	if len(i.FileSystems)+len(later) > maxMounts {
		return fmt.Errorf("%w: more than %d file systems", ErrFormat, maxMounts)
	}
	i.FileSystems = append(i.FileSystems, later...)
	return nil
}
