package rowfilter

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/export"
)

func failf(format string, args ...any) error {
	const most = 100 // characters
	return errors.New(cut(fmt.Sprintf(format, args...), most))
}

// word makes the condition.
func (t *token) word() (word, error) {
	name := strings.ToLower(t.name)
	switch {
	case t.op != "" && (t.name == "" || t.quoted):
		return word{}, failf("%s: a field has to stand before %s; in quotes it is all text", cut(t.typed, 30), t.op)
	case t.op != "":
		return t.condition(name)
	case t.name == "":
		return word{}, failf("%s: a flag or text has to follow", cut(t.typed, 20))
	}
	if !t.quoted {
		if f, ok := flags[name]; ok {
			return t.flag(name, f), nil
		}
	}
	return t.anywhere(), nil
}

// flag makes the condition FLAG or !FLAG.
func (t *token) flag(name string, f flag) word {
	want := !t.negated
	if t.negated {
		name = "!" + name
	}
	return word{name, func(r *export.Row) (bool, bool) { on, known := f(r); return on == want, known }}
}

// anywhere makes the condition TEXT or !TEXT.
func (t *token) anywhere() word {
	c := newContained(t.name)
	text := t.name
	if t.quoted {
		text = quote(text)
	}
	return t.flag(text, func(r *export.Row) (bool, bool) {
		return c.in(r.Path) || c.in(r.Comm) || c.in(r.ReasonLine()), true
	})
}

// condition makes FIELD OP VALUE.
func (t *token) condition(name string) (word, error) {
	f := fieldNamed(name)
	switch {
	case f == nil:
		return word{}, noField(t, name)
	case t.negated:
		return word{}, failf("%s: write %s%s… to mean the contrary", cut(t.typed, 40), f.name, contrary[t.op])
	case t.value == "" && !t.literal:
		return word{}, failf("%s%s needs a value: %s", f.name, t.op, f.values)
	case !strings.Contains(kinds[f.kind].operators, " "+t.op+" "):
		return word{}, failf("%s%s is not possible: %s has%s", f.name, t.op, f.name, strings.TrimRight(kinds[f.kind].operators, " "))
	}
	match, ok := f.match(t)
	switch {
	case !ok && t.isPattern():
		return word{}, failf("%s: %s is no regular expression", f.name, cut(t.value, 40))
	case !ok:
		return word{}, failf("%s: %s is not possible; %s", f.name, cut(t.value, 20), f.values)
	}
	op, value := t.op, t.value
	switch {
	case t.literal:
		value = quote(value)
	case operatorOf(op+value) != op:
		op = "==" // the value would become a part of the operator; in quotes, * and ? would lose their meaning
	}
	return word{f.name + op + value, match}, nil
}

var contrary = map[string]string{"=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// noField says which fields there are, or which one was meant.
func noField(t *token, name string) error {
	if _, ok := flags[name]; ok {
		return failf("%s has no value: write %s or !%s", name, name, name)
	}
	if meant := nearest(name); meant != "" {
		return failf("no field %s: did you mean %s%s%s?", cut(name, 20), meant, t.op, cut(t.value, 30))
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return failf("no field %s; quote the word to look for it as text", cut(name, 30))
	}
	var names []string
	for _, f := range fieldTable {
		names = append(names, f.name)
	}
	return failf("no field %s: %s", cut(name, 16), strings.Join(names, " "))
}

// nearest is the field whose name was typed with one or two slips, or begun, or gone on
// with; empty when there is none.
func nearest(typed string) string {
	best, meant := 3, ""
	for _, f := range fieldTable {
		d := best
		switch {
		case len(typed) >= 3 && (strings.HasPrefix(f.name, typed) || strings.HasPrefix(typed, f.name)):
			d = 0
		case len(typed) <= 20:
			d = Distance(typed, f.name)
		}
		if d < best && d <= len(f.name)/2 {
			best, meant = d, f.name
		}
	}
	return meant
}

// Distance counts the letters to insert, delete, replace, or swap with their neighbour.
func Distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
