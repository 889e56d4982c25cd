package fio

import (
	"bufio"
	"container/heap"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// entry is one write in a log.
type entry struct {
	at, end uint64 // microseconds since the beginning
	file    *file
	pos, n  int64
}

// window is how many writes wait to be put in the order in which they began. They come
// in the order in which they ended.
const window = 1024

// job is one job with its log.
type job struct {
	key    jobKey
	number int
	comm   string
	out    *bufio.Writer
	below  io.WriteCloser
	opened map[*file]bool
	wait   byBegin
	last   uint64
	busy   []uint64 // when the writes end that were in flight at the last one's begin, in order
	depth  int
	line   []byte
}

func (j *job) log() string { return fmt.Sprintf("job-%d.iolog", j.number) }

func (j *job) begin(out io.WriteCloser) {
	j.below, j.out = out, bufio.NewWriterSize(out, 32<<10)
	_, _ = j.out.WriteString("fio version 3 iolog\n") // an error comes again at the end
}

// add takes a write.
func (j *job) add(e entry) error {
	heap.Push(&j.wait, e)
	if len(j.wait) > window {
		return j.emit()
	}
	return nil
}

// emit writes the write that began first.
func (j *job) emit() error {
	e := heap.Pop(&j.wait).(entry)
	j.count(e)
	j.last = max(j.last, e.at)
	b := j.line[:0]
	if !j.opened[e.file] {
		j.opened[e.file] = true
		b = appendAction(b, j.last, e.file, "add\n")
		b = appendAction(b, j.last, e.file, "open\n")
	}
	b = appendAction(b, j.last, e.file, "write ")
	b = strconv.AppendInt(b, e.pos, 10)
	b = strconv.AppendInt(append(b, ' '), e.n, 10)
	b = append(b, '\n')
	j.line = b
	if _, err := j.out.Write(b); err != nil {
		return fmt.Errorf("write I/O log: %w", err)
	}
	return nil
}

// count keeps the largest number of writes that were in flight at once.
func (j *job) count(e entry) {
	over, _ := slices.BinarySearch(j.busy, e.at+1)
	over = max(over, len(j.busy)-window+1)
	j.busy = slices.Delete(j.busy, 0, over)
	at, _ := slices.BinarySearch(j.busy, e.end)
	j.busy = slices.Insert(j.busy, at, e.end)
	j.depth = max(j.depth, len(j.busy))
}

func appendAction(b []byte, at uint64, f *file, action string) []byte {
	b = strconv.AppendUint(b, at, 10)
	b = append(append(b, ' '), f.name...)
	return append(append(b, ' '), action...)
}

func (j *job) close() error {
	var failed error
	for len(j.wait) > 0 && failed == nil {
		failed = j.emit()
	}
	if err := j.out.Flush(); failed == nil && err != nil {
		failed = fmt.Errorf("write I/O log: %w", err)
	}
	if err := j.below.Close(); failed == nil && err != nil {
		failed = fmt.Errorf("write I/O log: %w", err)
	}
	return failed
}

// byBegin is a heap of writes, the first to begin on top.
type byBegin []entry

func (h byBegin) Len() int           { return len(h) }
func (h byBegin) Less(i, k int) bool { return h[i].at < h[k].at }
func (h byBegin) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *byBegin) Push(v any)        { *h = append(*h, v.(entry)) }
func (h *byBegin) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}
