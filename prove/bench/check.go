package bench

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// checkMost bounds the pieces of a file that are read back after a round: a file of
// up to 64 MiB is checked whole, a larger one in a sample.
const checkMost = 64

// check reads back what the jobs left in the file, and adds what was found to m.
func (t Test) check(jobs []*job, m *Measure) (err error) {
	buf, err := workload.NewBuffer(chunk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, buf.Close()) }()
	size := int64(len(jobs)) * int64(jobs[0].count) * t.Stripe
	want := make([]byte, t.Stripe)
	for _, off := range sample(size) {
		n := min(chunk, size-off)
		got, err := unix.Pread(jobs[0].fd, buf.Bytes()[:n], off)
		if err == nil && int64(got) != n {
			err = fmt.Errorf("%d bytes of %d", got, n)
		}
		if err != nil {
			return fmt.Errorf("read back at %d: %w", off, err)
		}
		for at := int64(0); at < n; at += t.Stripe {
			t.expect(jobs, (off+at)/t.Stripe, want)
			m.compare(buf.Bytes()[at:at+t.Stripe], want, off+at)
		}
	}
	return nil
}

// sample chooses the offsets of the pieces of a file to read back: all, or some at
// equal distances with the first and the last among them.
func sample(size int64) []int64 {
	pieces := (size + chunk - 1) / chunk
	n := min(pieces, checkMost)
	out := make([]int64, n)
	for i := range out {
		if n > 1 {
			out[i] = int64(i) * (pieces - 1) / (n - 1) * chunk
		}
	}
	return out
}

// expect fills want with what a stripe has to hold.
func (t Test) expect(jobs []*job, stripe int64, want []byte) {
	j := jobs[stripe/int64(jobs[0].count)]
	clear(want)
	for off := int64(0); off < t.Stripe; off += t.quarter {
		if t.state(off) == workload.Written {
			for i := off; i < off+t.quarter; i++ {
				want[i] = layoutByte(j.round)
			}
		}
	}
	if stripe-j.first < int64(j.done) {
		j.stamp(stripe)
		copy(want[t.Off:], j.buf.Bytes())
	}
}

// compare counts the bytes of one stripe that are wrong.
func (m *Measure) compare(got, want []byte, off int64) {
	m.CheckedBytes += int64(len(want))
	if bytes.Equal(got, want) {
		return
	}
	for i := range want {
		if got[i] == want[i] {
			continue
		}
		if m.WrongBytes == 0 {
			m.FirstWrong = fmt.Sprintf("byte %d is %#02x and has to be %#02x", off+int64(i), got[i], want[i])
		}
		m.WrongBytes++
	}
}
