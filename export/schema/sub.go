package schema

// sub is a record, or a list of records, inside a T.
type sub[T any] interface {
	visit(t *T, v Visitor, scratch []byte)
	read(r *reader, t *T, value any)
	filtered() Fields[T]
}

type record[T, U any] struct {
	fields  Fields[U]
	at      func(*T) *U // nil for null
	forRead func(*T) *U // never nil
}

func (s record[T, U]) visit(t *T, v Visitor, scratch []byte) {
	u := s.at(t)
	if u == nil {
		v.Null()
		return
	}
	v.Record()
	s.fields.visit(u, v, scratch)
}

func (s record[T, U]) read(r *reader, t *T, value any) { readRecord(r, s.fields, s.forRead(t), value) }

// filtered are the numbers inside that have a name in filter lines, as fields of T.
func (s record[T, U]) filtered() (out Fields[T]) {
	for i := range s.fields {
		f := &s.fields[i]
		if f.Filter == "" || f.number == nil {
			continue
		}
		out = append(out, Field[T]{About: f.About, number: func(t *T) (int64, bool) {
			u := s.at(t)
			if u == nil {
				return 0, false
			}
			return f.number(u)
		}})
	}
	return out
}

type list[T, U any] struct {
	fields Fields[U]
	known  func(*T) bool
	at     func(*T) *[]U
}

func (s list[T, U]) filtered() Fields[T] { return nil }

// items is the list, or nil for null: nothing was seen, and that proves nothing.
func (s list[T, U]) items(t *T) ([]U, bool) {
	items := *s.at(t)
	return items, len(items) > 0 || s.known == nil || s.known(t)
}

func (s list[T, U]) visit(t *T, v Visitor, scratch []byte) {
	items, known := s.items(t)
	if !known {
		v.Null()
		return
	}
	v.List(len(items))
	for i := range items {
		v.Item(i)
		s.fields.visit(&items[i], v, scratch)
	}
	v.End()
}

func (s list[T, U]) read(r *reader, t *T, value any) {
	values, ok := value.([]any)
	if !ok {
		r.fail(value)
	}
	to := s.at(t)
	for _, v := range values {
		var u U
		readRecord(r, s.fields, &u, v)
		*to = append(*to, u)
	}
}
