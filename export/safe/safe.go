// Package safe writes names that come from anybody, such as those of files and
// processes, so that they cannot act on a terminal.
package safe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Text returns s, which may come from anybody, in a form that cannot act on a
// terminal: every rune that unicode.IsPrint refuses is written as an escape
// (\n, \x1b, \u202e), every invalid byte as \xNN, and a backslash as \\, so that
// the escapes cannot be mistaken for the name's own characters.
func Text(s string) string {
	if isPlain(s) {
		return s
	}
	return string(Append(nil, s))
}

// Message is Text for a message of our own that may hold such strings: it
// leaves backslashes alone.
func Message(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.ReplaceAll(string(Append(nil, s)), `\\`, `\`)
}

// Mark is the name of a mark as it is shown. What no name can hold was written as an escape when the name was read
// from a line, and is not escaped again: what is copied from an output is the name.
func Mark(s string) string { return Message(s) }

// Printable reports whether Mark shows s as it is.
func Printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isPlain reports whether s needs no escape at all, on a terminal or in JSON.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '\\' || c == '"' {
			return false
		}
	}
	return true
}

// Append appends s in the form of Text.
func Append(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, '\\', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case r == '\\':
			dst = append(dst, '\\', '\\')
		case unicode.IsPrint(r):
			dst = append(dst, s[i:i+n]...)
		default:
			dst = appendEscape(dst, r)
		}
		i += n
	}
	return dst
}

func appendEscape(dst []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(dst, '\\', 'n')
	case r == '\t':
		return append(dst, '\\', 't')
	case r == '\r':
		return append(dst, '\\', 'r')
	case r < 0x80:
		return append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
	case r < 0x10000:
		return appendHex(append(dst, '\\', 'u'), uint32(r), 4)
	}
	return appendHex(append(dst, '\\', 'U'), uint32(r), 8)
}

// appendHex appends the low digits of v.
func appendHex(dst []byte, v uint32, digits int) []byte {
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&15])
	}
	return dst
}

// AppendJSON appends s as a JSON string. Whatever a terminal could act on is
// escaped, so that JSON may be looked at on one; the value stays the same,
// except that an invalid byte becomes the four characters \xNN.
func AppendJSON(dst []byte, s string) []byte {
	if isPlain(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, '\\', '\\', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case unicode.IsPrint(r):
			dst = append(dst, s[i:i+n]...)
		case r < 0x10000:
			dst = appendHex(append(dst, '\\', 'u'), uint32(r), 4)
		default:
			// JSON writes such a rune as a surrogate pair.
			v := uint32(r - 0x10000)
			dst = appendHex(append(dst, '\\', 'u'), 0xd800+v>>10, 4)
			dst = appendHex(append(dst, '\\', 'u'), 0xdc00+v&0x3ff, 4)
		}
		i += n
	}
	return append(dst, '"')
}
