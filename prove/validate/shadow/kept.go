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
// was mounted again, and what each is the file of. The zero value remembers none.
type Kept[T any] struct {
	seed  maphash.Seed
	files map[string]kept[T]
}

type kept[T any] struct {
	of T
	sums
}

// sums is a file's length, and a sum of each piece.
type sums struct {
	size   int64
	pieces []uint64
}

// Keep remembers what a file held.
func (k *Kept[T]) Keep(name string, of T, b []byte) {
	if k.files == nil {
		k.files, k.seed = map[string]kept[T]{}, maphash.MakeSeed()
	}
	k.files[name] = kept[T]{of, k.sum(b)}
}

// Names lists the files in order.
func (k *Kept[T]) Names() []string { return slices.Sorted(maps.Keys(k.files)) }

// Differs compares a file of a directory with what it held. It returns what it is the
// file of, and names the first difference, or nothing.
func (k *Kept[T]) Differs(dir, name string) (of T, why string) {
	was := k.files[name]
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return was.of, err.Error()
	}
	is := k.sum(b)
	if was.size != is.size {
		return was.of, fmt.Sprintf("i_size is %d, and has to be %d", is.size, was.size)
	}
	for i := range was.pieces {
		if was.pieces[i] != is.pieces[i] {
			return was.of, fmt.Sprintf("the bytes from %d to %d differ", i*sumBlock, min(int64(i+1)*sumBlock, was.size)-1)
		}
	}
	return was.of, ""
}

func (k *Kept[T]) sum(b []byte) sums {
	s := sums{size: int64(len(b))}
	for len(b) > 0 {
		n := min(len(b), sumBlock)
		s.pieces = append(s.pieces, maphash.Bytes(k.seed, b[:n]))
		b = b[n:]
	}
	return s
}
