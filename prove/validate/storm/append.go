package storm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
)

// recordOf is record number n of a round, as it has to be in the file.
func (s *session) recordOf(n int) []byte {
	b := make([]byte, s.made[n].piece().len)
	s.fill(n, b)
	return b
}

// takeRecords reads the records of a round that were appended to the shadow, in the
// order in which they lie, and adds them to it. It says what is wrong, or nothing.
func (s *session) takeRecords(got []byte) string {
	held := &s.f.Shadow
	at := len(held.Bytes)
	if len(got) < at {
		return fmt.Sprintf("i_size is %d, and was %d before the appends", len(got), at)
	}
	seen := make([]bool, len(s.made))
	var missing int
	for at < len(got) {
		n, why := s.recordAt(got[at:])
		switch {
		case why != "":
			return fmt.Sprintf("at %d: %s", at, why)
		case seen[n]:
			return fmt.Sprintf("at %d: the record of %d bytes is there a second time", at, s.made[n].piece().len)
		}
		seen[n] = true
		at += int(s.made[n].piece().len)
	}
	for n := range seen {
		if !seen[n] && s.made[n].result.Ret() > 0 {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Sprintf("%d records are not there", missing)
	}
	held.Bytes = append(held.Bytes, got[len(held.Bytes):]...)
	return ""
}

// recordAt is the number of the record that begins here.
func (s *session) recordAt(b []byte) (n int, why string) {
	if len(b) < headLen {
		return 0, fmt.Sprintf("%d bytes are no record", len(b))
	}
	head := binary.LittleEndian.Uint64(b)
	n = int(head & 0xffff)
	if n >= len(s.made) {
		return 0, fmt.Sprintf("no record begins here: %#x", head)
	}
	want := s.recordOf(n)
	got := b[:min(len(want), len(b))]
	if head != binary.LittleEndian.Uint64(want) {
		return 0, fmt.Sprintf("no record begins here: %#x", head)
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < len(got) && got[at] == want[at] {
			at++
		}
		return 0, fmt.Sprintf("the record of %d bytes is torn after %d", len(want), at)
	}
	return n, ""
}

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
