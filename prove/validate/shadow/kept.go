package shadow

import (
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// sumBlock is the length of what one sum covers, bytes.
const sumBlock = 4096

// Kept remembers what files held, to compare them once more after the file system
// was mounted again. The zero value remembers none.
type Kept struct {
	seed  maphash.Seed
	files map[string]sums
}

// sums is a file's length, and a sum of each piece.
type sums struct {
	size int64
	sums []uint64
}

// Keep remembers what a file held.
func (k *Kept) Keep(name string, b []byte) {
	if k.files == nil {
		k.files, k.seed = map[string]sums{}, maphash.MakeSeed()
	}
	k.files[name] = k.sum(b)
}

// Names lists the files in order.
func (k *Kept) Names() []string { return slices.Sorted(maps.Keys(k.files)) }

// Differs compares a file of a directory with what it held, and names the first
// difference, or nothing.
func (k *Kept) Differs(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err.Error()
	}
	was, is := k.files[name], k.sum(b)
	if was.size != is.size {
		return fmt.Sprintf("i_size is %d, and has to be %d", is.size, was.size)
	}
	for i := range was.sums {
		if was.sums[i] != is.sums[i] {
			return fmt.Sprintf("the bytes from %d to %d differ", i*sumBlock, min(int64(i+1)*sumBlock, was.size)-1)
		}
	}
	return ""
}

func (k *Kept) sum(b []byte) sums {
	s := sums{size: int64(len(b))}
	for len(b) > 0 {
		n := min(len(b), sumBlock)
		s.sums = append(s.sums, maphash.Bytes(k.seed, b[:n]))
		b = b[n:]
	}
	return s
}
