package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// FragmentsName is the workload that Fragments makes.
const FragmentsName = "fragments"

// FragmentsHelp is its line of help.
const FragmentsHelp = "writes over a whole file whose blocks are written and unwritten in turn: a mapping for each block"

// fragmentShapes are the writes, one a round: where they begin and end in blocks and
// sectors, the end counted from the end of the file when it is not above 0.
var fragmentShapes = []struct {
	from, to   int64 // blocks
	head, tail int64 // sectors
	flags      int
}{
	{from: 0, to: 0},
	{from: 10, to: 48},                       // 38 of them, as a database wrote
	{from: 0, head: 1, to: -2, tail: 1},      // from a written block to a written one
	{from: 0, head: 1, to: -1, tail: 1},      // to an unwritten one
	{from: 0, to: 0, flags: unix.RWF_NOWAIT}, // may be refused
}

// FragmentsSummary is what was written.
type FragmentsSummary struct {
	Rounds  int
	Refused int // with -EAGAIN, under NOWAIT
	Blocks  int64
}

func (s FragmentsSummary) String() string {
	return fmt.Sprintf("%s: %d writes over %d blocks, written and unwritten in turn; %d refused under NOWAIT", FragmentsName, s.Rounds, s.Blocks, s.Refused)
}

// Fragments lays out a file of size bytes anew for each round, writes over it, and reads
// back what it wrote. It stops early when ctx ends.
func Fragments(ctx context.Context, dir *Dir, rounds int, size int64) (sum FragmentsSummary, err error) {
	bs := int64(dir.FS.BlockSize)
	sum.Blocks = size / bs
	if sum.Blocks < 64 || size > 1<<30 {
		return sum, fmt.Errorf("write over fragments: %w: a file of %d bytes (64 blocks to 1 GiB)", ErrUsage, size)
	}
	buf, err := NewBuffer(int(sum.Blocks * bs))
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, buf.Close()) }()
	for sum.Rounds < rounds && ctx.Err() == nil {
		if err := fragmentsRound(dir, buf, &sum); err != nil {
			return sum, err
		}
		sum.Rounds++
	}
	return sum, nil
}

// fragmentsRound makes one write.
func fragmentsRound(dir *Dir, buf *Buffer, sum *FragmentsSummary) (err error) {
	bs, sector := int64(dir.FS.BlockSize), int64(dir.FS.Sector)
	s := fragmentShapes[sum.Rounds%len(fragmentShapes)]
	if sector >= bs {
		s.head, s.tail = 0, 0
	}
	spec := FileSpec{Name: "fragments", Allocate: sum.Blocks * bs}
	for b := int64(0); b < sum.Blocks; b += 2 {
		spec.Written = append(spec.Written, Range{b * bs, bs})
	}
	fd, err := makeFile(dir, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd), dir.Remove(spec.Name)) }()
	if s.to <= 0 {
		s.to += sum.Blocks
	}
	from, to := s.from*bs+s.head*sector, s.to*bs+s.tail*sector
	buf.Fill(uint64(sum.Rounds))
	data := buf.Bytes()[:to-from]
	n, err := unix.Pwritev2(fd, [][]byte{data}, from, s.flags)
	if errors.Is(err, unix.EAGAIN) && s.flags&unix.RWF_NOWAIT != 0 {
		sum.Refused++
		return nil
	}
	if err != nil || n != len(data) {
		return fmt.Errorf("write %d bytes at %d: %d: %w", len(data), from, n, err)
	}
	return readBack(dir, spec.Name, data, from)
}

// readBack compares what a file has at a place with what was written there.
func readBack(dir *Dir, name string, data []byte, at int64) (err error) {
	fd, err := dir.Open(name, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	chunk := make([]byte, 1<<20)
	for len(data) > 0 {
		part := chunk[:min(len(chunk), len(data))]
		if n, err := unix.Pread(fd, part, at); err != nil || n != len(part) {
			return fmt.Errorf("read back %d bytes at %d: %d: %w", len(part), at, n, err)
		}
		if !bytes.Equal(part, data[:len(part)]) {
			return fmt.Errorf("what was written at %d is not there", at)
		}
		data, at = data[len(part):], at+int64(len(part))
	}
	return nil
}
