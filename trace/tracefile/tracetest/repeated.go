// Package tracetest makes records for tests: single writes, and long traces out of short
// ones.
package tracetest

import (
	"bytes"
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Repeated are the records of a trace so often that they are n at least, each round
// 5 seconds later and with other ids.
func Repeated(raws [][]byte, n int) [][]byte {
	le := binary.LittleEndian
	var out [][]byte
	for round := uint64(0); len(out) < n; round++ {
		for _, raw := range raws {
			c := bytes.Clone(raw)
			id, at := record.AtID, record.AtT0
			if kind, _, _ := record.KindOf(c); kind == record.KindComplete {
				id, at = record.AtDoneID, record.AtDoneT
			}
			le.PutUint64(c[id:], le.Uint64(c[id:])+round<<20)
			le.PutUint64(c[at:], le.Uint64(c[at:])+round*5e9)
			out = append(out, c)
		}
	}
	return out
}
