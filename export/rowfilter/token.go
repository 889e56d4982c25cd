package rowfilter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// operators, the longer ones first.
var operators = []string{"!=", "!~", "<=", ">=", "==", "=", "~", "<", ">"}

// token is a word as it was typed, taken apart.
type token struct {
	typed   string
	negated bool
	name    string // of the field or flag, or text
	quoted  bool   // name was in quotes
	op      string // empty without
	value   string
	literal bool // value was in quotes
}

// nextToken takes the first word of text; nil at the end.
func nextToken(text string) (t *token, rest string, err error) {
	text = strings.TrimLeft(text, blanks)
	if text == "" {
		return nil, "", nil
	}
	t = &token{}
	s := text
	if strings.HasPrefix(s, "!") && operatorOf(s) == "" {
		t.negated, s = true, s[1:]
	}
	if t.name, t.quoted, s, err = part(s, true); err != nil {
		return nil, "", err
	}
	if t.op = operatorOf(s); t.op != "" {
		if t.value, t.literal, s, err = part(s[len(t.op):], false); err != nil {
			return nil, "", err
		}
	}
	t.typed = text[:len(text)-len(s)]
	if s != "" && !strings.ContainsRune(blanks, rune(s[0])) {
		return nil, "", failf("a blank has to follow on %s", cut(t.typed, 40))
	}
	if t.op == "==" {
		t.op = "="
	}
	return t, s, nil
}

const blanks = " \t\r\n\v\f"

// operatorOf is the operator that s begins with, empty for none.
func operatorOf(s string) string {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

// part takes what is in quotes, or all up to a blank, and with beforeOp up to an
// operator.
func part(s string, beforeOp bool) (text string, quoted bool, rest string, err error) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		text, rest, err = unquote(s)
		return text, true, rest, err
	}
	i := 0
	for i < len(s) && !strings.ContainsRune(blanks, rune(s[i])) && !(beforeOp && operatorOf(s[i:]) != "") {
		i++
	}
	return s[:i], false, s[i:], nil
}

// unquote takes what is in quotes at the beginning of s.
func unquote(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == s[0]):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", failf("%s has no closing quote", cut(s, 40))
}

// quote is the contrary of unquote.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// cut makes a word fit into an error: without bytes that a terminal could obey, and of at
// most width characters.
func cut(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > width-1 && utf8.RuneCountInString(s) > width {
			return b.String() + "~"
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '.'
		}
		b.WriteRune(r)
	}
	return b.String()
}
