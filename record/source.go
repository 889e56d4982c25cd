package record

import "errors"

// ErrEnd is returned by Source.Next when no more records will come.
var ErrEnd = errors.New("end of records")

// ErrIdle is returned by Source.Next when nothing came within its wait; the
// caller may do housekeeping and ask again.
var ErrIdle = errors.New("no record yet")

// Source hands out raw records in the order of the stream. A live kernel and a
// trace file are both sources; nothing behind it can tell them apart.
type Source interface {
	// Next returns the next raw record. The bytes are valid until the next call.
	// It returns ErrIdle now and then while nothing happens, ErrEnd at the end.
	Next() ([]byte, error)
	// Losses tells what is known to be missing so far.
	Losses() (Losses, error)
}
