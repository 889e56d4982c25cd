package perfetto

import "github.com/ext4dio/ext4dio-trace/export"

// maxInterned bounds the texts that are kept; then all are forgotten, and the reader is
// told so.
const maxInterned = 16384

// maxText bounds one text, bytes. A path has at most 4096.
const maxText = 16 << 10

// interned are the texts of one kind that were given a number.
type interned struct {
	field int
	ids   map[string]uint64
	fresh []fresh // not in the file yet
}

type fresh struct {
	id   uint64
	text string
}

func newInterned(field int) interned {
	return interned{field: field, ids: make(map[string]uint64)}
}

// id returns the number of a text.
func (in *interned) id(text string) uint64 {
	if id, ok := in.ids[text]; ok {
		return id
	}
	id := uint64(len(in.ids) + 1)
	in.ids[text] = id
	in.fresh = append(in.fresh, fresh{id, harmless(text)})
	return id
}

// flush appends the new texts to the InternedData message in m.
func (in *interned) flush(m *message) {
	for _, f := range in.fresh {
		at := m.begin(in.field)
		m.uint(internedIID, f.id)
		m.text(internedText, f.text)
		m.end(at)
	}
	in.fresh = in.fresh[:0]
}

func (in *interned) clear() {
	clear(in.ids)
	in.fresh = in.fresh[:0]
}

// harmless is text in a form that may be shown anywhere.
func harmless(text string) string {
	text = export.Safe(text)
	return text[:min(len(text), maxText)]
}
