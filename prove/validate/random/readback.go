package random

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// settle reads what became of a write that failed or fell short.
func (f *file) settle(pos int64, data []byte) error {
	size := f.shadow.Size()
	if pos >= size {
		return nil
	}
	end := min(pos+int64(len(data)), size)
	from := pos / f.bs * f.bs
	got, err := f.readDirect(from, (end-from+f.bs-1)/f.bs*f.bs)
	if err != nil {
		return err
	}
	got = got[min(pos-from, int64(len(got))):min(end-from, int64(len(got)))]
	if err := f.shadow.Settle(pos, data, got); err != nil {
		f.bytesBad = append(f.bytesBad, err.Error())
	}
	return nil
}

// readDirect reads n bytes, fewer at the end of the file. The memory is valid
// until the next call.
func (f *file) readDirect(off, n int64) ([]byte, error) {
	mem, err := memory(&f.r.back, n)
	if err != nil {
		return nil, err
	}
	got, err := unix.Pread(f.direct, mem[:n], off)
	if err != nil {
		return nil, fmt.Errorf("read back with O_DIRECT: %w", err)
	}
	return mem[:got], nil
}

// readBack compares the file with its shadow: with O_DIRECT, and through the page
// cache after it was dropped.
func (f *file) readBack() error {
	n := f.shadow.Size()
	got, err := f.readDirect(0, (n/f.bs+1)*f.bs)
	if err != nil {
		return err
	}
	if why := f.shadow.Compare(got); why != "" {
		f.bytesBad = append(f.bytesBad, "read with O_DIRECT: "+why)
	}
	if err := workload.SyncAndDrop(f.buffered); err != nil {
		return err
	}
	mem, err := memory(&f.r.back, n+1)
	if err != nil {
		return err
	}
	k, err := unix.Pread(f.buffered, mem[:n+1], 0)
	if err != nil {
		return fmt.Errorf("read back through the page cache: %w", err)
	}
	if why := f.shadow.Compare(mem[:k]); why != "" {
		f.bytesBad = append(f.bytesBad, "read through the page cache: "+why)
	}
	return nil
}
