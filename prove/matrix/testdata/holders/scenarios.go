package main

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/matrix/testdata/uring"
)

// readers: an appending write waits for the direct reads, which hold the lock shared.
func readers(s *scenario) {
	s.readAll(3)
	s.appender(80, "write")
	s.wait()
}

// ranges: overwrites wait for the two that change what the file has.
func ranges(s *scenario) {
	fd := s.open(0)
	s.overwriters(3)
	s.counted(func(t *task) {
		for i := range int64(200) {
			t.do("fallocate:zero-range", func() error {
				return unix.Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, 8*mib+i%16*block, 16*block)
			})
		}
	})
	s.counted(func(t *task) {
		for i := range int64(200) {
			t.do("truncate", func() error { return unix.Ftruncate(fd, 16*mib-i%2*mib) })
		}
	})
	s.wait()
}

// inflight: a task has 32 writes in flight and calls fallocate, which takes the lock and
// then waits for them; overwrites wait for the lock meanwhile.
func inflight(s *scenario) {
	modes := []struct {
		mode uint32
		op   string
	}{
		{unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE, "fallocate:zero-range"},
		{unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, "fallocate:punch-hole"},
		{unix.FALLOC_FL_KEEP_SIZE, "fallocate"},
	}
	s.overwriters(2)
	s.counted(func(t *task) {
		const depth = 32
		fd, b := s.open(unix.O_DIRECT), buffer(block)
		r, err := uring.New(depth, block)
		check("io_uring", err)
		for i := range int64(60) {
			from := now()
			for k := range int64(depth) {
				r.Write(fd, b, 4*mib+(i*depth+k)%1024*block, 0)
			}
			check("submit", r.Submit())
			m := modes[i%int64(len(modes))]
			t.do(m.op, func() error { return unix.Fallocate(fd, m.mode, 12*mib+i*block, 4*block) })
			check("writes of io_uring", r.Reap(0))
			for range depth {
				t.ops = append(t.ops, op{s.name, "write", 0, unix.Getpid(), "", s.ino, from, now()})
			}
		}
	})
	s.wait()
}

// buffered: a buffered write of a part of a block that is not cached reads the rest of it
// under the exclusive lock.
func buffered(s *scenario) {
	fd := s.open(0)
	s.overwriters(2)
	s.counted(func(t *task) {
		for i := range int64(80) {
			t.do("buffered-write", func() error { _, err := unix.Pwrite(fd, []byte("some"), 4*mib+i*4*block+100); return err })
		}
	})
	s.wait()
}

// queue: an appending write waits for the direct reads, and as it does, overwrites queue
// behind it.
func queue(s *scenario) {
	s.readAll(2)
	s.overwriters(2)
	s.appender(80, "write")
	s.wait()
}

// swapon: it takes the lock of a regular file, in no function of ext4, to see whether its
// first block says that it is a swap file. That is not so here.
func swapon(s *scenario) {
	s.overwriters(1)
	fd := s.open(0)
	path, err := unix.BytePtrFromString(s.path)
	check("path", err)
	s.counted(func(t *task) {
		for range 80 {
			check("fadvise", unix.Fadvise(fd, 0, block, unix.FADV_DONTNEED))
			t.do("swapon", func() error {
				_, _, errno := unix.Syscall(unix.SYS_SWAPON, uintptr(unsafe.Pointer(path)), 0, 0)
				if errno != unix.EINVAL {
					return errno
				}
				return nil
			})
		}
	})
	s.wait()
}

// rename: the VFS takes the lock of the file that gets another name. It waits for overwrites,
// and others queue behind it.
func rename(s *scenario) {
	s.overwriters(3)
	other := s.path + ".other"
	s.counted(func(t *task) {
		for range 40 {
			t.do("rename", func() error { return unix.Rename(s.path, other) })
			t.do("rename", func() error { return unix.Rename(other, s.path) })
		}
	})
	s.wait()
}

// fast: the tracer leaves out what is fast. An appending write that waits for nobody is, and an
// overwrite that waited for that is not.
func fast(s *scenario) {
	s.overwriters(2)
	s.appender(80, "write")
	s.wait()
}

// leftOut: the tracer is told to record the threads that are called "wanted", and the one
// that holds the lock is called otherwise.
func leftOut(s *scenario) {
	fd := s.open(unix.O_DIRECT)
	for k := range int64(2) {
		b := buffer(block)
		s.forever(func(t *task, n int64) {
			setComm("wanted")
			at := k*256 + n%256
			t.do("write", func() error { _, err := unix.Pwrite(fd, b, at*block); return err })
		})
	}
	s.appender(80, "direct-write")
	s.wait()
}
