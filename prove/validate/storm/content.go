package storm

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
)

// tag is what the bytes of a write follow from: no two writes of a run have the same.
type tag uint64

// tagOf names piece i of a writer in a round of a scene; writer -1 is the layout.
func tagOf(seed uint64, scene string, round, writer, i int) tag {
	h := fnv.New64a()
	fmt.Fprintln(h, seed, scene, round, writer, i) // never fails
	return tag(h.Sum64())
}

// fill writes the bytes of a write that starts at off.
func (t tag) fill(b []byte, off int64) { shadow.Fill(b, uint64(t), off) }

// headLen is how many bytes at the start of a record name it.
const headLen = 8

// fillRecord writes a record: its number in the round, then bytes that follow from
// the tag, wherever it will lie.
func (t tag) fillRecord(b []byte, number int) {
	t.fill(b, 0)
	binary.LittleEndian.PutUint64(b, uint64(t)&^0xffff|uint64(number))
}
