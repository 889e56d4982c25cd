package storm

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
)

// tagOf is what the bytes of piece i of a writer in a round of a scene follow from; writer
// -1 is the layout. No two writes of a run have the same.
func tagOf(seed uint64, scene string, round, writer, i int) uint64 {
	h := fnv.New64a()
	fmt.Fprintln(h, seed, scene, round, writer, i) // never fails
	return h.Sum64()
}

// headLen is how many bytes at the start of a record name it.
const headLen = 8

// fillRecord writes a record: its number in the round, then bytes that follow from
// the tag, wherever it will lie.
func fillRecord(b []byte, tag uint64, number int) {
	shadow.Fill(b, tag, 0)
	binary.LittleEndian.PutUint64(b, tag&^0xffff|uint64(number))
}
