package schema

import (
	"math/bits"
	"slices"
	"strconv"

	"github.com/ext4dio/ext4dio-trace/export/safe"
)

// keyRoom is enough for the longest name with its signs. Copying a constant number of
// bytes takes a third of the time of copying as many as there are, which for a line of a
// hundred names makes up for the calls that a list needs.
const keyRoom = 24

// key is what stands before a value in JSON: {"name": or ,"name":
type key struct {
	bytes [keyRoom]byte
	len   int
}

func newKey(opening byte, name string) key {
	var k key
	text := string(opening) + `"` + name + `":`
	if k.len = copy(k.bytes[:], text); k.len != len(text) {
		panic("schema: the name is too long: " + name)
	}
	return k
}

func (k *key) append(dst []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, keyRoom)[:n+keyRoom]
	*(*[keyRoom]byte)(dst[n:]) = k.bytes
	return dst[:n+k.len]
}

// AppendJSON appends t as one JSON object. Every field is there; what is not known is null.
func (fs Fields[T]) AppendJSON(dst []byte, t *T) []byte {
	for i := range fs {
		f := &fs[i]
		dst = f.AppendJSON(f.key.append(dst), t)
	}
	return append(dst, '}')
}

// AppendJSON appends the value.
func (f *Field[T]) AppendJSON(dst []byte, t *T) []byte {
	switch f.Type {
	case TypeText:
		return f.appendText(dst, t)
	case TypeTexts:
		return f.appendTexts(dst, t)
	case TypeRecord, TypeList:
		return f.sub.appendJSON(dst, t)
	}
	if f.word != nil {
		return f.appendWord(dst, t)
	}
	n, known := f.number(t)
	if !known {
		return append(dst, "null"...)
	}
	switch f.Type {
	case TypeBool:
		return strconv.AppendBool(dst, n != 0)
	case TypeWord:
		return f.Words.appendJSON(dst, n)
	case TypeFlags:
		return f.Words.appendFlags(dst, uint32(n))
	}
	switch {
	case n >= 0 && n < 10:
		return append(dst, byte('0'+n))
	case f.unsigned:
		return strconv.AppendUint(dst, uint64(n), 10)
	}
	return strconv.AppendInt(dst, n, 10)
}

func (f *Field[T]) appendText(dst []byte, t *T) []byte {
	s := f.text(t)
	if s == "" && f.Null {
		return append(dst, "null"...)
	}
	return safe.AppendJSON(dst, s)
}

func (f *Field[T]) appendWord(dst []byte, t *T) []byte {
	n := len(dst)
	dst = f.word(append(dst, '"'), t)
	if len(dst) == n+1 {
		return append(dst[:n], "null"...)
	}
	return append(dst, '"')
}

func (f *Field[T]) appendTexts(dst []byte, t *T) []byte {
	if f.known != nil && !f.known(t) {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, s := range *f.texts(t) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = safe.AppendJSON(dst, s)
	}
	return append(dst, ']')
}

func (w *Words) appendJSON(dst []byte, i int64) []byte {
	if i >= 0 && i < int64(len(w.quoted)) {
		return append(dst, w.quoted[i][1:]...)
	}
	return append(dst, w.otherQuote[1:]...)
}

func (w *Words) appendFlags(dst []byte, flags uint32) []byte {
	n := len(dst)
	for left := flags; left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left)
		if i < len(w.list) && w.list[i] != "" {
			dst = append(dst, w.quoted[i]...)
		} else {
			dst = append(dst, quote(w.bit(i))...)
		}
	}
	if len(dst) == n {
		return append(dst, '[', ']')
	}
	dst[n] = '[' // where the first comma was
	return append(dst, ']')
}
