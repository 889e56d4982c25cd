package schema

// sub is a record, or a list of records, inside a T.
type sub[T any] interface {
	visit(t *T, v Visitor, scratch []byte)
	read(r *reader, t *T, value any)
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

type list[T, U any] struct {
	fields Fields[U]
	known  func(*T) bool
	at     func(*T) *[]U
}

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
