package rowfilter

import (
	"strings"
	"unicode/utf8"
)

// contained is a text that is looked for without regard to case.
type contained struct {
	lower string
	ascii bool // its bytes are those of one character each
}

func newContained(s string) contained {
	c := contained{lower: strings.ToLower(s), ascii: true}
	for i := range len(c.lower) {
		c.ascii = c.ascii && c.lower[i] < utf8.RuneSelf
	}
	return c
}

// in reports whether s contains the text. Text of ASCII letters costs no memory.
func (c contained) in(s string) bool {
	if !c.ascii {
		return strings.Contains(strings.ToLower(s), c.lower)
	}
	for i := 0; i+len(c.lower) <= len(s); i++ {
		if hasPrefixFold(s[i:], c.lower) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, lower string) bool {
	for i := range len(lower) {
		b := s[i]
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}

// glob reports whether all of s matches pattern, in which * stands for any text and ?
// for one character. Its time is bounded by the product of the lengths.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0 // where to go on when what follows the last star does not match
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, n := utf8.DecodeRuneInString(s[i:])
			p, i = p+1, i+n
		case p < len(pattern) && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
