package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// EOFTailName is the workload that EOFTail makes.
const EOFTailName = "eof-tail"

// EOFTailHelp is its line of help.
const EOFTailHelp = "an async write that ends at i_size, then an aligned one that extends over its block; is it lost?"

// fillers are writes to another file that keep the disk busy, so that the writes
// behind them are in the queue together. They are small and large in turn: how a
// scheduler sorts depends on it.
const (
	fillers   = 3
	fillBytes = 1 << 20
)

// EOFTailSummary is what became of the extending writes.
type EOFTailSummary struct {
	Rounds int
	Lost   int   // rounds in which bytes of the extending write were lost
	Bytes  int64 // of them, in all rounds
}

func (s EOFTailSummary) String() string {
	return fmt.Sprintf("%s: %d rounds; %d bytes of the extending write were lost, in %d of them", EOFTailName, s.Rounds, s.Bytes, s.Lost)
}

// EOFTail puts two writes in flight at once that ext4 does not keep apart: an
// asynchronous write that ends exactly at i_size inside a written block, after which
// the rest of that block is zeroed, and an aligned write of the whole block, which
// extends the file. Then it reads back from the disk what the second one wrote.
// Whether bytes are lost depends on the order in which the disk carries the writes
// out. It stops early when ctx ends.
func EOFTail(ctx context.Context, dir *Dir, rounds int) (sum EOFTailSummary, err error) {
	e, err := newAIO(fillers + 2)
	if err != nil {
		return sum, err
	}
	e.apart = true
	defer func() { err = errors.Join(err, e.Close()) }()
	buf, err := NewBuffer(fillBytes + 3*dir.FS.BlockSize)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, buf.Close()) }()
	buf.Fill(1)
	fill, err := dir.Create("fill")
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, unix.Close(fill), dir.Remove("fill")) }()
	for i := range int64(fillers) {
		if _, err := unix.Pwrite(fill, buf.Bytes()[:fillBytes], i*fillBytes); err != nil {
			return sum, fmt.Errorf("write filler: %w", err)
		}
	}
	for sum.Rounds < rounds && ctx.Err() == nil {
		size := []int{dir.FS.BlockSize, fillBytes}[sum.Rounds%2]
		lost, err := eofTailRound(e, dir, buf, fill, size)
		if err != nil {
			return sum, err
		}
		sum.Rounds++
		if sum.Bytes += lost; lost > 0 {
			sum.Lost++
		}
	}
	return sum, nil
}

// eofTailRound makes the two writes once and counts the bytes that were lost.
func eofTailRound(e Engine, dir *Dir, buf *Buffer, fill, size int) (lost int64, err error) {
	bs, sector := dir.FS.BlockSize, dir.FS.Sector
	if sector >= bs {
		return 0, fmt.Errorf("write a part of a block: %w: sectors of %d bytes, blocks of %d", ErrUnfit, sector, bs)
	}
	const name = "eof"
	fd, err := dir.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd), dir.Remove(name)) }()
	mem := buf.Bytes()[fillBytes:]
	short, whole, back := mem[:sector], mem[bs:2*bs], mem[2*bs:3*bs]
	// The first sector, its block written and i_size behind it; the second write
	// leaves S_NOSEC set and the file as it was.
	for range 2 {
		if _, err := unix.Pwrite(fd, short, 0); err != nil {
			return 0, fmt.Errorf("write first sector: %w", err)
		}
	}
	if err := SyncAndDrop(fd); err != nil {
		return 0, err
	}
	var reqs []Request
	for i := range int64(fillers) {
		reqs = append(reqs, Request{Fd: fill, Pos: i * fillBytes, Segs: [][]byte{buf.Bytes()[:size]}})
	}
	reqs = append(reqs, Request{Fd: fd, Segs: [][]byte{short}}, Request{Fd: fd, Segs: [][]byte{whole}})
	results, err := e.Do(reqs)
	if err != nil {
		return 0, err
	}
	for i, r := range results {
		if r.Err != nil || r.N != reqs[i].Len() {
			return 0, fmt.Errorf("write %d bytes: %d: %w", reqs[i].Len(), r.N, r.Err)
		}
	}
	if err := SyncAndDrop(fd); err != nil {
		return 0, err
	}
	clear(back)
	if n, err := unix.Pread(fd, back, 0); err != nil || n != bs {
		return 0, fmt.Errorf("read back %d bytes: %d: %w", bs, n, err)
	}
	// Both writes cover the first sector; either may be there.
	for i := sector; i < bs; i++ {
		if back[i] != whole[i] {
			lost++
		}
	}
	if !slices.Equal(back[:sector], whole[:sector]) && !bytes.Equal(back[:sector], short) {
		lost += int64(sector)
	}
	return lost, nil
}
