package schema

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Words are names of our own by their numbers: those of an enumeration, or those of the
// bits of flags. They are the one place where a name stands.
type Words struct {
	name   string
	list   []string
	quoted []string // as JSON, each with a comma before it
	other  string
}

// NewWords makes the list of the variable that is called name. other is said of a number
// beyond it, and may be empty.
func NewWords(name, other string, list ...string) *Words {
	w := &Words{name: name, list: list, other: other}
	for _, s := range list {
		w.quoted = append(w.quoted, quote(s))
	}
	return w
}

// WordsOf makes the list of the names of the numbers below n.
func WordsOf[E ~uint8](name, other string, n int, nameOf func(E) string) *Words {
	list := make([]string, n)
	for i := range list {
		list[i] = nameOf(E(i))
	}
	return NewWords(name, other, list...)
}

func quote(s string) string {
	if s == "" {
		return ",null"
	}
	return `,"` + s + `"`
}

// AppendJSON appends the word of a number as JSON; null for an empty one.
func (w *Words) AppendJSON(dst []byte, i int64) []byte {
	if i >= 0 && i < int64(len(w.quoted)) {
		return append(dst, w.quoted[i][1:]...)
	}
	return append(dst, quote(w.other)[1:]...)
}

// AppendFlags appends the words of the bits of flags as a JSON list.
func (w *Words) AppendFlags(dst []byte, flags uint32) []byte {
	if flags == 0 {
		return append(dst, '[', ']')
	}
	n := len(dst)
	for left := flags; left != 0; left &= left - 1 {
		if i := bits.TrailingZeros32(left); i < len(w.list) && w.list[i] != "" {
			dst = append(dst, w.quoted[i]...)
		} else {
			dst = append(dst, quote(w.bit(i))...)
		}
	}
	dst[n] = '[' // where the first comma was
	return append(dst, ']')
}

// Len is the number of words.
func (w *Words) Len() int { return len(w.list) }

// At is the word of a number.
func (w *Words) At(i int64) string {
	if i >= 0 && i < int64(len(w.list)) {
		return w.list[i]
	}
	return w.other
}

// List lists the words that are not empty.
func (w *Words) List() []string {
	return slices.DeleteFunc(slices.Clone(w.list), func(s string) bool { return s == "" })
}

// Index is the number of a word, -1 for none.
func (w *Words) Index(word string) int64 {
	if i := slices.Index(w.list, word); i >= 0 || word == "" || word != w.other {
		return int64(i)
	}
	return int64(len(w.list))
}

// Names lists the words of the bits of flags. A bit without a word is its value.
func (w *Words) Names(flags uint32) []string {
	var out []string
	for left := flags; left != 0; left &= left - 1 {
		out = append(out, w.bit(bits.TrailingZeros32(left)))
	}
	return out
}

func (w *Words) bit(i int) string {
	if i < len(w.list) && w.list[i] != "" {
		return w.list[i]
	}
	return "0x" + strconv.FormatUint(1<<i, 16)
}

// bitOf is the reverse of bit.
func (w *Words) bitOf(name string) (bit int64, ok bool) {
	if hex, ok := strings.CutPrefix(name, "0x"); ok {
		v, err := strconv.ParseUint(hex, 16, 32)
		return int64(v), err == nil && bits.OnesCount64(v) == 1
	}
	i := slices.Index(w.list, name)
	return 1 << max(i, 0), i >= 0 && name != ""
}
