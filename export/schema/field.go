// Package schema describes the fields of a record in one list, from which all forms derive
// in which the record leaves and comes back: JSON (export/json_gen.go, Read), the columns
// of tables (Visit, About), the words of a filter, and the documentation.
//
// Lines of JSON are written by straight code that is generated from the list, as a list
// that is walked takes 1.7 times as long: go test ./export/schema -update.
package schema

// Opt is a fact that may be unknown. Its zero value is unknown.
type Opt[T any] struct {
	V     T
	Known bool
}

// Type is what a field holds.
type Type uint8

// Types of fields. The kind of number is that of a column; JSON has but one.
const (
	TypeInt32 Type = iota
	TypeInt64
	TypeBool
	TypeText   // of anybody: it may act on a terminal
	TypeWord   // one of few of our own
	TypeFlags  // a list of words, one for each bit that is set
	TypeTexts  // a list of texts
	TypeRecord // fields of its own
	TypeList   // of records
)

// About is what is to be known of a field besides its value.
type About struct {
	Name  string // in JSON, and of the column
	Type  Type
	Null  bool   // it may be unknown, or not there
	Unit  string // of a number, such as bytes or ns; how a word is written
	Doc   string // what it is, in one clause
	Words *Words // of a TypeWord or TypeFlags that has a list of them
	Kids  []*About
	// Late is a field that came after users began to count the columns of CSV: it stands
	// behind the others there.
	Late   bool
	Filter string // its name in a filter line, empty for none
}

// Field is a field of a T.
type Field[T any] struct {
	About
	from source

	// The value, as the type has it. known is false for null.
	number   func(*T) (n int64, known bool) // of flags the bits, of most words the place in Words
	unsigned bool                           // a number beyond the greatest int64 is possible
	word     func([]byte, *T) []byte        // appends a word that is not in a list; nothing for null
	text     func(*T) string
	texts    func(*T) *[]string
	known    func(*T) bool // of texts; nil where they always are
	sub      sub[T]

	// The reverse. They report false for what cannot be.
	setNumber func(*T, int64) bool
	setText   func(*T, string) bool
}

// source is where a value comes from, for straight code that is generated: functions, of
// which all but place have names.
type source struct {
	place any // func(*T) *V
	get   any // func(*T) int64, or of a word func([]byte, *T) []byte
	known any // func(*T) bool
	mask  uint32
}

// Fields is the list of the fields of a T, in their order.
type Fields[T any] []Field[T]

// New makes a list.
func New[T any](fields ...Field[T]) Fields[T] { return fields }

// About lists what is to be known of the fields.
func (fs Fields[T]) About() []*About {
	out := make([]*About, len(fs))
	for i := range fs {
		out[i] = &fs[i].About
	}
	return out
}

// Number is the value of a number, of a boolean (0 or 1), or the place of a word.
func (f *Field[T]) Number(t *T) (n int64, known bool) { return f.number(t) }

// Text is the value of a text; an empty one that may be null is not known.
func (f *Field[T]) Text(t *T) (s string, known bool) {
	s = f.text(t)
	return s, s != "" || !f.Null
}

// Texts is the value of a list of texts.
func (f *Field[T]) Texts(t *T) (list []string, known bool) {
	return *f.texts(t), f.known == nil || f.known(t)
}

// Filters are the fields that have a name in filter lines, those of records among them.
func (fs Fields[T]) Filters() (out Fields[T]) {
	for i := range fs {
		switch f := &fs[i]; {
		case f.Filter != "":
			out = append(out, *f)
		case f.sub != nil:
			out = append(out, f.sub.filtered()...)
		}
	}
	return out
}

// Filtered gives the field a name in filter lines.
func (f Field[T]) Filtered(name string) Field[T] {
	f.Filter = name
	return f
}

// OrNull makes null of an empty text.
func (f Field[T]) OrNull() Field[T] {
	f.Null = true
	return f
}

// AtEnd makes the field one that came Late.
func (f Field[T]) AtEnd() Field[T] {
	f.Late = true
	return f
}

// If makes the field null where known reports false.
func (f Field[T]) If(known func(*T) bool) Field[T] {
	get := f.number
	f.Null, f.from.known = true, known
	f.number = func(t *T) (int64, bool) {
		if !known(t) {
			return 0, false
		}
		return get(t)
	}
	return f
}

// OnSet calls also when the field was set to more than null.
func (f Field[T]) OnSet(also func(*T)) Field[T] {
	set := f.setNumber
	f.setNumber = func(t *T, n int64) bool {
		ok := set(t, n)
		also(t)
		return ok
	}
	return f
}

// Written makes a word of a number, which get appends and set reads.
func (f Field[T]) Written(get func([]byte, *T) []byte, set func(*T, string) bool) Field[T] {
	f.Type, f.word, f.setText, f.from.get = TypeWord, get, set, get
	return f
}

// Integer is what a number can be stored in.
type Integer interface {
	~int | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// put stores n, if there is room for it.
func put[N Integer](at *N, n int64) bool {
	*at = N(n)
	return int64(*at) == n
}

// Int is a number in a column of 64 bits.
func Int[T any, N Integer](name, unit, doc string, at func(*T) *N) Field[T] {
	return Field[T]{
		About: About{Name: name, Type: TypeInt64, Unit: unit, Doc: doc}, unsigned: N(0)-1 > 0, from: source{place: at},
		number:    func(t *T) (int64, bool) { return int64(*at(t)), true },
		setNumber: func(t *T, n int64) bool { return put(at(t), n) },
	}
}

// OptInt is an Int that may be null.
func OptInt[T any, N Integer](name, unit, doc string, at func(*T) *Opt[N]) Field[T] {
	return Field[T]{
		About: About{Name: name, Type: TypeInt64, Null: true, Unit: unit, Doc: doc}, unsigned: N(0)-1 > 0, from: source{place: at},
		number: func(t *T) (int64, bool) { o := at(t); return int64(o.V), o.Known },
		setNumber: func(t *T, n int64) bool {
			o := at(t)
			o.Known = true
			return put(&o.V, n)
		},
	}
}

// In32 puts a number into a column of 32 bits.
func (f Field[T]) In32() Field[T] {
	f.Type = TypeInt32
	return f
}

// Number is a number that is not stored as it is shown, so that get and set are told.
func Number[T any](about About, get func(*T) int64, set func(*T, int64) bool) Field[T] {
	return Field[T]{
		About: about, from: source{get: get},
		number: func(t *T) (int64, bool) { return get(t), true }, setNumber: set,
	}
}

// Bool is true or false.
func Bool[T any](name, doc string, at func(*T) *bool) Field[T] {
	return Field[T]{
		About:     About{Name: name, Type: TypeBool, Doc: doc},
		from:      source{place: at},
		number:    func(t *T) (int64, bool) { return Bit(*at(t)), true },
		setNumber: func(t *T, n int64) bool { *at(t) = n != 0; return true },
	}
}

// OptBool is a Bool that may be null.
func OptBool[T any](name, doc string, at func(*T) *Opt[bool]) Field[T] {
	return Field[T]{
		About:     About{Name: name, Type: TypeBool, Null: true, Doc: doc},
		from:      source{place: at},
		number:    func(t *T) (int64, bool) { o := at(t); return Bit(o.V), o.Known },
		setNumber: func(t *T, n int64) bool { *at(t) = Opt[bool]{n != 0, true}; return true },
	}
}

// Bit is 1 for true.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Text is a text of anybody.
func Text[T any](name, doc string, at func(*T) *string) Field[T] {
	return Field[T]{
		About:   About{Name: name, Type: TypeText, Doc: doc},
		from:    source{place: at},
		text:    func(t *T) string { return *at(t) },
		setText: func(t *T, s string) bool { *at(t) = s; return true },
	}
}

// Enum is the word at a place of a list. An empty word is null.
func Enum[T any, N Integer](name, doc string, words *Words, at func(*T) *N) Field[T] {
	f := Int(name, "", doc, at)
	f.Type, f.Words, f.Null = TypeWord, words, words.At(0) == ""
	return f
}

// OptEnum is an Enum that may be unknown.
func OptEnum[T any, N Integer](name, doc string, words *Words, at func(*T) *Opt[N]) Field[T] {
	f := OptInt(name, "", doc, at)
	f.Type, f.Words = TypeWord, words
	return f
}

// Word is a word that is in no list: get appends it, set reads it.
func Word[T any](about About, get func([]byte, *T) []byte, set func(*T, string) bool) Field[T] {
	about.Type = TypeWord
	return Field[T]{About: about, from: source{get: get}, word: get, setText: set}
}

// Flags is a list of the words for the bits of a number; those not in mask are not shown.
func Flags[T any, N Integer](name, doc string, words *Words, mask N, at func(*T) *N) Field[T] {
	f := Int(name, "", doc, at)
	f.Type, f.Words, f.from.mask = TypeFlags, words, uint32(mask)
	f.number = func(t *T) (int64, bool) { return int64(*at(t) & mask), true }
	f.setNumber = func(t *T, n int64) bool {
		to := at(t)
		*to |= N(n)
		return int64(N(n)) == n
	}
	return f
}

// Texts is a list of texts, null where known says so.
func Texts[T any](name, doc string, known func(*T) bool, at func(*T) *[]string) Field[T] {
	return Field[T]{About: About{Name: name, Type: TypeTexts, Null: known != nil, Doc: doc}, from: source{place: at, known: known}, texts: at, known: known}
}

// Record is a record inside.
func Record[T, U any](name, doc string, fields Fields[U], at func(*T) *U) Field[T] {
	return Field[T]{
		About: About{Name: name, Type: TypeRecord, Doc: doc, Kids: fields.About()},
		from:  source{place: at}, sub: record[T, U]{fields, at, at},
	}
}

// OptRecord is a Record that may be null.
func OptRecord[T, U any](name, doc string, fields Fields[U], at func(*T) *Opt[U]) Field[T] {
	get := func(t *T) *U {
		if o := at(t); o.Known {
			return &o.V
		}
		return nil
	}
	set := func(t *T) *U {
		o := at(t)
		o.Known = true
		return &o.V
	}
	return Field[T]{
		About: About{Name: name, Type: TypeRecord, Null: true, Doc: doc, Kids: fields.About()},
		from:  source{place: at}, sub: record[T, U]{fields, get, set},
	}
}

// List is a list of records. An empty one is null where known, which may be nil, says so.
func List[T, U any](name, doc string, fields Fields[U], known func(*T) bool, at func(*T) *[]U) Field[T] {
	return Field[T]{
		About: About{Name: name, Type: TypeList, Null: known != nil, Doc: doc, Kids: fields.About()},
		from:  source{place: at, known: known}, sub: list[T, U]{fields, known, at},
	}
}
