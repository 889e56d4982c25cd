package export

import (
	"errors"

	"github.com/ext4dio/ext4dio-trace/export/schema"
)

// ErrNoFacts is returned for a line that holds no facts to judge by: it comes from
// an older version, or is no traced write at all.
var ErrNoFacts = errors.New("no facts about a write in it")

// AppendJSON appends r as one JSON object with a line feed, as Fields has it. Every field
// is there in every row; a fact that is not known is null. Numbers are exact integers.
func (r *Row) AppendJSON(dst []byte) []byte { return append(Fields.AppendJSON(dst, r), '\n') }

// ParseJSON reads back a line that AppendJSON wrote. What a line of an older version does
// not have is not known.
// An error wraps ErrNoFacts, or says what cannot be read.
func ParseJSON(line []byte) (*Row, error) {
	row := &Row{}
	err := Fields.Read(line, row)
	var field *schema.FieldError
	if row.Facts.Blkbits == 0 && (err == nil || errors.As(err, &field)) {
		return nil, ErrNoFacts
	}
	if err != nil {
		return nil, err
	}
	row.ListsKnown = row.Incomplete == "" && !row.Truncated
	return row, nil
}
