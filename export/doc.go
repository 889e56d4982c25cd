// Package export turns an observation and its verdict into a Row, and a Row into
// what people and programs read: a line of text, a JSON object, a summary.
//
// Fields lists the fields of a row, from which JSON in both directions, the columns of
// tables, the names in filter lines and docs/json.md derive.
//
// One Row feeds every output, so that all of them say the same. The package
// never shows a fact that was not captured as if it were one (it is null, or
// "?"), and never lets a byte of a file or process name reach a terminal
// unescaped.
package export
