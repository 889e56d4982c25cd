package rowfilter

import (
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Filter chooses among judged writes. A nil one and one without words let all through. It
// does not change, so that it may be used by several goroutines.
type Filter struct {
	words []word
}

// word is one condition.
type word struct {
	text  string // in the form in which Parse takes it again
	match flag
}

// Error says what is wrong with a filter line.
type Error struct {
	At  int    // byte of the line at which the word begins
	Msg string // one line
}

func (e *Error) Error() string { return e.Msg }

// Parse understands a filter line; an empty one lets all through. The error is an *Error of
// at most 100 characters that names the word and says what is possible.
func Parse(text string) (*Filter, error) {
	f := &Filter{}
	for rest := text; ; {
		rest = strings.TrimLeft(rest, blanks)
		at := len(text) - len(rest)
		t, after, err := nextToken(rest)
		if t == nil && err == nil {
			return f, nil
		}
		var w word
		if err == nil {
			w, err = t.word()
		}
		if err != nil {
			return nil, &Error{At: at, Msg: err.Error()}
		}
		f.words, rest = append(f.words, w), after
	}
}

// Match reports whether all words match r.
func (f *Filter) Match(r *export.Row) bool {
	if f == nil {
		return true
	}
	for i := range f.words {
		if on, known := f.words[i].match(r); !on || !known {
			return false
		}
	}
	return true
}

// Decide is Match for who must not take a fact that is not known for one that does not
// match: known says whether what is known of r decides it.
func (f *Filter) Decide(r *export.Row) (on, known bool) {
	known = true
	if f == nil {
		return true, true
	}
	for i := range f.words {
		switch on, sure := f.words[i].match(r); {
		case !sure:
			known = false
		case !on:
			return false, true
		}
	}
	return known, known
}

// Empty reports whether the filter lets all through.
func (f *Filter) Empty() bool { return f == nil || len(f.words) == 0 }

// String is the line in the form in which it was understood. Parse takes it again.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	var b strings.Builder
	for i := range f.words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.words[i].text)
	}
	return b.String()
}
