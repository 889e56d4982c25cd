package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Read sets the fields of t to what one JSON object at the beginning of line holds. A
// field that is not in it, or is null, is left alone, and what is no field is left out.
// The error is that of a line that is no JSON, or else the first FieldError.
func (fs Fields[T]) Read(line []byte, t *T) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	r := &reader{}
	readRecord(r, fs, t, value)
	if r.err != nil {
		return r.err
	}
	return nil
}

// FieldError is a value that a field cannot have.
type FieldError struct {
	At    string // the names of the fields around it and of its own, parted by dots
	Value string
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("read JSON: %s: %q is not known", e.At, e.Value)
}

// reader keeps the place, and the first error.
type reader struct {
	at  string
	err *FieldError
}

// fail says that a value cannot be that of the field.
func (r *reader) fail(value any) {
	if r.err == nil {
		r.err = &FieldError{r.at, fmt.Sprint(value)}
	}
}

func readRecord[T any](r *reader, fs Fields[T], t *T, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		r.fail(value)
	}
	outer := r.at
	for i := range fs {
		f := &fs[i]
		v := object[f.Name]
		if v == nil {
			continue
		}
		if r.at = f.Name; outer != "" {
			r.at = outer + "." + f.Name
		}
		if !f.read(r, t, v) {
			r.fail(v)
		}
	}
	r.at = outer
}

// read sets the field. It reports false for what the field cannot hold.
func (f *Field[T]) read(r *reader, t *T, value any) bool {
	if f.sub != nil {
		f.sub.read(r, t, value)
		return true
	}
	switch v := value.(type) {
	case json.Number:
		return f.readNumber(t, string(v))
	case bool:
		return f.Type == TypeBool && f.setNumber(t, Bit(v))
	case string:
		switch {
		case f.setText != nil:
			return f.setText(t, v)
		case f.Type == TypeWord:
			i := f.Words.Index(v)
			return i >= 0 && f.setNumber(t, i)
		}
	case []any:
		return f.readList(r, t, v)
	}
	return false
}

func (f *Field[T]) readNumber(t *T, digits string) bool {
	if f.Type != TypeInt32 && f.Type != TypeInt64 {
		return false
	}
	if f.unsigned {
		n, err := strconv.ParseUint(digits, 10, 64)
		return err == nil && f.setNumber(t, int64(n))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && f.setNumber(t, n)
}

// readList reads texts, or the words of flags.
func (f *Field[T]) readList(r *reader, t *T, list []any) bool {
	for _, item := range list {
		s, ok := item.(string)
		switch {
		case ok && f.Type == TypeTexts:
			to := f.texts(t)
			*to = append(*to, s)
			continue
		case ok && f.Type == TypeFlags:
			if bit, ok := f.Words.bitOf(s); ok && f.setNumber(t, bit) {
				continue
			}
		}
		r.fail(item)
	}
	return f.Type == TypeTexts || f.Type == TypeFlags
}
