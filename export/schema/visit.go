package schema

import "math/bits"

// Visitor takes the values of a record one by one, in the order of the fields.
type Visitor interface {
	Null()              // the next field, with all that is in it, is not there
	Number(n int64)     // of a number or a boolean
	Text(s string)      // of anybody
	Word(s string)      // of our own
	WordBytes(s []byte) // the same, valid during the call
	Record()            // the fields of a record follow
	List(n int)         // a list of n items follows
	Item(i int)         // the fields of an item, or its text or word, follow
	End()               // of the list
}

// Visit shows t to v.
func (fs Fields[T]) Visit(t *T, v Visitor) { fs.visit(t, v, make([]byte, 0, 32)) }

// visit has room for a word in scratch.
func (fs Fields[T]) visit(t *T, v Visitor, scratch []byte) {
	for i := range fs {
		f := &fs[i]
		switch f.Type {
		case TypeText:
			if s, known := f.Text(t); known {
				v.Text(s)
			} else {
				v.Null()
			}
		case TypeTexts:
			f.visitTexts(t, v)
		case TypeRecord, TypeList:
			f.sub.visit(t, v, scratch)
		default:
			f.visitNumber(t, v, scratch)
		}
	}
}

func (f *Field[T]) visitTexts(t *T, v Visitor) {
	list, known := f.Texts(t)
	if !known {
		v.Null()
		return
	}
	v.List(len(list))
	for i, s := range list {
		v.Item(i)
		v.Text(s)
	}
	v.End()
}

func (f *Field[T]) visitNumber(t *T, v Visitor, scratch []byte) {
	if f.word != nil {
		if s := f.word(scratch, t); len(s) > 0 {
			v.WordBytes(s)
		} else {
			v.Null()
		}
		return
	}
	n, known := f.number(t)
	if !known {
		v.Null()
		return
	}
	switch f.Type {
	case TypeWord:
		if s := f.Words.At(n); s != "" {
			v.Word(s)
		} else {
			v.Null()
		}
	case TypeFlags:
		v.List(bits.OnesCount32(uint32(n)))
		for i, left := 0, uint32(n); left != 0; i, left = i+1, left&(left-1) {
			v.Item(i)
			v.Word(f.Words.bit(bits.TrailingZeros32(left)))
		}
		v.End()
	default:
		v.Number(n)
	}
}
