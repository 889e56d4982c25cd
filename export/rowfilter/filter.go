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
	match func(*export.Row) bool
}

// Parse understands a filter line; an empty one lets all through. The error is one line
// of at most 100 characters that names the word and says what is possible.
func Parse(text string) (*Filter, error) {
	f := &Filter{}
	for {
		t, rest, err := nextToken(text)
		if err != nil {
			return nil, err
		}
		if t == nil {
			return f, nil
		}
		w, err := t.word()
		if err != nil {
			return nil, err
		}
		f.words, text = append(f.words, w), rest
	}
}

// Match reports whether all words match r.
func (f *Filter) Match(r *export.Row) bool {
	if f == nil {
		return true
	}
	for i := range f.words {
		if !f.words[i].match(r) {
			return false
		}
	}
	return true
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
