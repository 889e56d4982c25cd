package expect

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Policy is one line that was understood. It does not change.
type Policy struct {
	Where string // the file and the line, empty of one that stands alone
	Text  string // as it was written, without a comment
	meant meant
	needs []need
}

// Error says what is wrong with a policy, and where.
type Error struct {
	Where  string // the file and the line, empty of a policy that stands alone
	Column int    // in characters, from 1
	Msg    string
}

func (e *Error) Error() string {
	if e.Where == "" {
		return fmt.Sprintf("column %d: %s", e.Column, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.Where, e.Column, e.Msg)
}

// Parse understands policies, one a line; name is that of the file, empty of none. The error is
// an *Error.
func Parse(name, text string) ([]*Policy, error) {
	var out []*Policy
	number := 0
	for line := range strings.Lines(text) {
		number++
		where := fmt.Sprintf("%s:%d", name, number)
		if name == "" {
			where = ""
		}
		p, err := parseLine(strings.TrimRight(line, "\r\n"))
		if err != nil {
			err.Where = where
			return nil, err
		}
		if p != nil {
			p.Where = where
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, &Error{Where: name, Column: 1, Msg: `no policy is there, such as path~"\.ibd$": exclusive<1%`}
	}
	return out, nil
}

// maxLine bounds a policy, bytes.
const maxLine = 4096

// parseLine understands one line; nil is none.
func parseLine(line string) (*Policy, *Error) {
	switch {
	case len(line) > maxLine:
		return nil, &Error{Column: maxLine, Msg: "the line is too long for a policy"}
	case !utf8.ValidString(line):
		return nil, &Error{Column: 1, Msg: "the line is no text in UTF-8"}
	}
	s := &scanner{line: line, end: commentAt(line)}
	if strings.TrimSpace(line[:s.end]) == "" {
		return nil, nil
	}
	p := &Policy{Text: strings.TrimSpace(line[:s.end])}
	colon := s.colon()
	if colon >= 0 {
		if err := p.meant.parse(s, colon); err != nil {
			return nil, err
		}
		s.at = colon + 1
	}
	for {
		n, err := s.need()
		if err != nil {
			return nil, err
		}
		p.needs = append(p.needs, *n)
		switch s.skip(); {
		case s.at == s.end:
			return p, nil
		case s.line[s.at] != ',':
			return nil, s.failf(s.at, "a comma has to part requirements")
		}
		s.at++
	}
}

const blanks = " \t\r\n\v\f"

// scanner goes through a line.
type scanner struct {
	line    string
	at, end int // end is where the comment begins
}

// failf is an error at a byte of the line.
func (s *scanner) failf(at int, format string, args ...any) *Error {
	return &Error{Column: utf8.RuneCountInString(s.line[:at]) + 1, Msg: fmt.Sprintf(format, args...)}
}

// skip goes over blanks.
func (s *scanner) skip() {
	for s.at < s.end && strings.IndexByte(blanks, s.line[s.at]) >= 0 {
		s.at++
	}
}

// take goes on while the bytes are as asked for, and returns them.
func (s *scanner) take(is func(byte) bool) string {
	from := s.at
	for s.at < s.end && is(s.line[s.at]) {
		s.at++
	}
	return s.line[from:s.at]
}

// plain calls f with each byte of a line that is outside of quotes, and with how many
// parentheses are open there, until it returns false. Quotes begin where a word or a value does,
// as in filters: one inside a word is a part of it.
func plain(line string, f func(at, open int) bool) {
	quote, open := byte(0), 0
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == '\\' && i+1 < len(line) && (line[i+1] == '\\' || line[i+1] == quote):
			i++
			continue
		case quote != 0:
			if c == quote {
				quote = 0
			}
			continue
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(blanks+"=~<>!(,:", line[i-1]) >= 0):
			quote = c
			continue
		case c == '(':
			open++
		case c == ')':
			open--
		}
		if !f(i, open) {
			return
		}
	}
}

// commentAt is where the comment of a line begins, its end without one.
func commentAt(line string) int {
	at := len(line)
	plain(line, func(i, _ int) bool {
		if line[i] == '#' && (i == 0 || strings.IndexByte(blanks, line[i-1]) >= 0) {
			at = i
		}
		return at == len(line)
	})
	return at
}

// colon is where the one stands that ends the filter, -1 without one: the first before a
// blank, else the last.
func (s *scanner) colon() int {
	last, found := -1, -1
	plain(s.line[:s.end], func(i, open int) bool {
		if s.line[i] != ':' || open > 0 {
			return true
		}
		last = i
		if i+1 == s.end || strings.IndexByte(blanks, s.line[i+1]) >= 0 {
			found = i
		}
		return found < 0
	})
	if found >= 0 {
		return found
	}
	return last
}
