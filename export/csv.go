package export

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// CSV writes rows as RFC 4180 wants it: a header, lines that end in CR LF. Its columns
// are Fields in their order, those that came late at the end, so that columns that are
// counted stay where they are. What is not known is an empty cell, a list or an object
// stands as JSON in its cell.
//
// A text is written as in JSON, without the quotes around it: what is not printable
// as an escape, a backslash as two. One that a spreadsheet could take for a formula
// has an apostrophe before it, and so has one that begins with an apostrophe.
type CSV struct {
	lines
	json, late []byte
	head       bool
}

// CSVFormat is the format of CSV.
var CSVFormat = Format{
	Name: "csv", Help: "the same fields as RFC 4180 wants them; lists as JSON in a cell", New: func(t Target) Writer { return NewCSV(t.Out) },
}

// NewCSV returns a CSV in front of out.
func NewCSV(out io.Writer) *CSV { return &CSV{lines: lines{out: out}} }

// Write takes one row.
func (w *CSV) Write(r *Row) error {
	w.header()
	w.json = r.AppendJSON(w.json[:0])
	w.late = w.late[:0]
	i := 0
	eachField(w.json, func(value []byte) {
		switch {
		case Fields[i].Late:
			w.late = appendCell(append(w.late, ','), value)
		case i == 0:
			w.buf = appendCell(w.buf, value)
		default:
			w.buf = appendCell(append(w.buf, ','), value)
		}
		i++
	})
	w.buf = append(append(w.buf, w.late...), "\r\n"...)
	return w.put(FlushBytes)
}

// header writes the names of the columns once.
func (w *CSV) header() {
	if w.head {
		return
	}
	w.head = true
	var names, late []string
	for i := range Fields {
		if f := &Fields[i]; f.Late {
			late = append(late, f.Name)
		} else {
			names = append(names, f.Name)
		}
	}
	w.buf = append(append(w.buf, strings.Join(append(names, late...), ",")...), "\r\n"...)
}

// Close writes what has gathered; without a row, the header.
func (w *CSV) Close() error {
	w.header()
	return w.lines.Close()
}

// eachField calls f with the value of each field of one JSON object without white space,
// as AppendJSON makes it.
func eachField(object []byte, f func(value []byte)) {
	rest := object[1:]
	for len(rest) > 0 && rest[0] == '"' {
		rest = rest[valueEnd(rest)+1:] // the name and the colon
		end := valueEnd(rest)
		f(rest[:end])
		rest = rest[end+1:] // and the comma, or the brace at the end
	}
}

// valueEnd returns the place behind the JSON value or the name at the beginning of b.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}', ',', ':':
			switch {
			case depth == 0:
				return i
			case b[i] == ']' || b[i] == '}':
				depth--
			}
		}
	}
}

// appendCell appends a JSON value as a cell.
func appendCell(dst, value []byte) []byte {
	switch value[0] {
	case 'n': // null
		return dst
	case '"':
		return appendTextCell(dst, value[1:len(value)-1])
	case '[', '{':
		return appendQuotedCell(dst, value)
	}
	return append(dst, value...)
}

// appendTextCell appends what stands between the quotes of a JSON string.
func appendTextCell(dst, text []byte) []byte {
	if c := firstRune(text); c < utf8.RuneSelf && c != '=' && c != '+' && c != '-' && c != '@' && c != '\'' &&
		bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, ',') < 0 {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	if isFormula(firstRune(text)) {
		dst = append(dst, '\'')
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && text[i+1] == '"':
			dst = append(dst, `""`...)
			i++
		case c == '\\':
			dst = append(dst, c, text[i+1])
			i++
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func firstRune(text []byte) rune {
	r, _ := utf8.DecodeRune(text)
	return r
}

// isFormula reports whether a spreadsheet may take a cell that begins with r for more
// than text. The wide forms count as the narrow ones in some languages.
func isFormula(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '\'', '＝', '＋', '－', '＠':
		return true
	}
	return false
}

// appendQuotedCell appends a cell in quotes.
func appendQuotedCell(dst, cell []byte) []byte {
	dst = append(slices.Grow(dst, 2*len(cell)+2), '"')
	from := 0
	for i, c := range cell {
		if c == '"' {
			dst = append(dst, cell[from:i+1]...)
			from = i
		}
	}
	return append(append(dst, cell[from:]...), '"')
}
