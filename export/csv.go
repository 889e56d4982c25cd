package export

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/export/schema"
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
	json []byte
	head bool
}

// csvColumns are the fields in the order of the columns.
var csvColumns = func() (columns []*schema.Field[Row]) {
	for _, late := range []bool{false, true} {
		for i := range Fields {
			if f := &Fields[i]; f.Late == late {
				columns = append(columns, f)
			}
		}
	}
	return columns
}()

// NewCSV returns a CSV in front of out.
func NewCSV(out io.Writer) *CSV { return &CSV{lines: lines{out: out}} }

// Write takes one row.
func (w *CSV) Write(r *Row) error {
	w.header()
	for i, f := range csvColumns {
		w.json = f.AppendJSON(w.json[:0], r)
		w.buf = appendCell(w.separate(i), w.json)
	}
	w.buf = append(w.buf, "\r\n"...)
	return w.put(flushBytes)
}

// separate returns the buffer, with a comma before each column but the first.
func (w *CSV) separate(column int) []byte {
	if column == 0 {
		return w.buf
	}
	return append(w.buf, ',')
}

// header writes the names of the columns once.
func (w *CSV) header() {
	if w.head {
		return
	}
	w.head = true
	for i, f := range csvColumns {
		w.buf = append(w.separate(i), f.Name...)
	}
	w.buf = append(w.buf, "\r\n"...)
}

// Close writes what has gathered; without a row, the header.
func (w *CSV) Close() error {
	w.header()
	return w.lines.Close()
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
