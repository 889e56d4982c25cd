package export

import (
	"errors"
	"strconv"

	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
)

// ErrNoFacts is returned for a line that holds no facts to judge by: it comes from
// an older version, or is no traced write at all.
var ErrNoFacts = errors.New("no facts about a write in it")

// AppendJSON appends r as one JSON object with a line feed, as Fields has it. Every field
// is there in every row; a fact that is not known is null. Numbers are exact integers.
func (r *Row) AppendJSON(dst []byte) []byte { return append(appendRow(dst, r), '\n') }

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
	row.ListsKnown = row.Incomplete == ""
	return row, nil
}

// What follows appends values for json_gen.go, null for those that are not known.

func appendInt(dst []byte, known bool, n int64) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendUint(dst []byte, known bool, n uint64) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return strconv.AppendUint(dst, n, 10)
}

func appendBool(dst []byte, known, b bool) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return strconv.AppendBool(dst, b)
}

func appendWord(dst []byte, known bool, words *schema.Words, i int64) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return words.AppendJSON(dst, i)
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return safe.AppendJSON(dst, s)
}

func appendTexts(dst []byte, known bool, list []string) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return appendList(dst, true, list, func(dst []byte, s *string) []byte { return safe.AppendJSON(dst, *s) })
}

func appendRecord[T any](dst []byte, known bool, t *T, appendT func([]byte, *T) []byte) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return appendT(dst, t)
}

// appendList appends a list. Where nothing was seen and that proves nothing, it is null.
func appendList[T any](dst []byte, known bool, list []T, appendT func([]byte, *T) []byte) []byte {
	if len(list) == 0 && !known {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendT(dst, &list[i])
	}
	return append(dst, ']')
}
