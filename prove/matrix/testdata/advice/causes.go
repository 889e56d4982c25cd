package main

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/matrix/testdata/uring"
)

// causes are all of them, and behind them what has none.
var causes = []cause{
	{"zeroing", []string{"before", "after", "aligned"}, prewritten(tasks * each * stripe), stripes},
	{"unaligned-unwritten", []string{"before", "after", "written"}, sparse, pieces},
	{"tail-unwritten", []string{"before", "after", "padded"}, prewritten(4 * each * 2 * block), log},
	{"extending", []string{"before", "after", "isize", "allocated"}, ahead, extending},
	{"appenders", []string{"before", "after", "places"}, empty, appenders},
	{"nowait-timestamps", []string{"before", "no-nowait", "lazytime"}, overwritten, nowait},
	{"uring-timestamps", []string{"before", "async", "lazytime"}, overwritten, ringed},
	{"nosec", forms, privileged, overwrites},
	{"fallback", forms, indirect, overwrites},
	{"readers-beside", forms, ahead, besideReaders},
	{"fallocate-beside", forms, overwritten, besideFallocate},
	{"kernel-patch", []string{"before"}, striped, stripes},
	{"healthy-overwrites", []string{"before"}, overwritten, overwrites},
	{"healthy-appender", []string{"before"}, empty, appender},
	{"healthy-ring", []string{"before"}, overwritten, ringed},
	{"healthy-reads", []string{"before"}, withOther, besideOtherReads},
	{"healthy-database", []string{"before"}, database, queries},
}

var forms = []string{"before", "after"}

// Layouts.

// prewritten is a file of so many bytes that is allocated, and with the remedy written.
func prewritten(size int64) func(*load) {
	return func(l *load) {
		if l.form == "after" {
			l.written(size)
			return
		}
		l.settle(l.allocated(size))
	}
}

// sparse is a file of holes.
func sparse(l *load) {
	if l.form == "written" {
		l.written(tasks * each * 2 * block)
		return
	}
	fd := l.open(l.path, unix.O_TRUNC)
	l.fill(fd, 0, block)
	check("truncate", unix.Ftruncate(fd, tasks*each*2*block))
	l.settle(fd)
}

func overwritten(l *load) { l.written(tasks * each * block) }

func empty(l *load) {
	fd := l.open(l.path, unix.O_TRUNC)
	l.fill(fd, 0, block)
	l.settle(fd)
}

// ahead is a file whose second half is yet to be written behind its end; with the remedy it
// is there, or there is room for it.
func ahead(l *load) {
	const size = tasks * each * block
	if l.form == "after" {
		l.written(2 * size)
		return
	}
	l.written(size)
	switch l.form {
	case "isize":
		check("truncate", unix.Truncate(l.path, 2*size))
	case "allocated":
		fd := l.open(l.path, 0)
		check("fallocate", unix.Fallocate(fd, 0, size, size))
		l.settle(fd)
	}
}

// flag sets or clears an attribute of the file.
func (l *load) flag(bit uint32, on bool) {
	fd := l.open(l.path, 0)
	flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	check("get flags", err)
	if flags &^= bit; on {
		flags |= bit
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.FS_IOC_SETFLAGS, uintptr(unsafe.Pointer(&flags)))
	if errno != 0 {
		check("set flags", errno)
	}
	check("close", unix.Close(fd))
}

// privileged is a file with the setuid bit, which each write of root has to look at again.
func privileged(l *load) {
	overwritten(l)
	if l.before() {
		check("chmod", unix.Chmod(l.path, 0o4755))
	}
}

// indirect is a file whose second half is a hole, without extents before the remedy.
func indirect(l *load) {
	fd := l.open(l.path, unix.O_TRUNC)
	if l.before() {
		l.flag(0x80000, false) // EXT4_EXTENTS_FL
	}
	l.fill(fd, 0, tasks*each/2*block)
	check("truncate", unix.Ftruncate(fd, tasks*each*block))
	l.settle(fd)
}

// striped has in each stripe of four blocks the first and the last one written.
func striped(l *load) {
	fd := l.allocated(tasks * each * stripe)
	for at := int64(0); at < tasks*each*stripe; at += stripe {
		l.fill(fd, at, block)
		l.fill(fd, at+3*block, block)
	}
	l.settle(fd)
}

// Loads.

// stripes are writes of parts of the first and the last block of each stripe, or of the whole
// stripe.
func stripes(l *load) {
	fd, b, off := l.direct(), buffer(stripe), int64(0)
	if l.form != "aligned" {
		b, off = b[:14336], sector
	}
	l.work(tasks, each, func(k, i int64) { l.write(fd, b, (i*tasks+k)*stripe+off) })
}

// pieces are smaller than blocks and lie in holes. With the remedy they are blocks.
func pieces(l *load) {
	fd, b, off := l.direct(), buffer(2*block), int64(0)
	if b = b[:block]; l.form != "after" {
		b, off = b[:3*sector], sector
	}
	l.work(tasks, each, func(k, i int64) { l.write(fd, b, (i*tasks+k)*2*block+off) })
}

// log is what several tasks write to a log, each the next piece of it, which ends inside a
// block unless it is padded.
func log(l *load) {
	fd, b := l.direct(), buffer(2*block)
	if l.form != "padded" {
		b = b[:block+3*sector]
	}
	var end atomic.Int64
	l.work(4, each, func(_, _ int64) { l.write(fd, b, (end.Add(1)-1)*2*block) })
}

// extending is one task that writes on at the end of the file, and others that overwrite it.
func extending(l *load) {
	fd, b := l.direct(), buffer(block)
	const end = tasks * each
	l.work(1, each, func(_, i int64) { l.write(fd, b, (end+i)*block) })
	l.work(4, each, func(k, i int64) { l.write(fd, b, (k*each+i)*block) })
}

// appenders are several tasks that append. With the remedy one does, as much with each write,
// or each has its place in the file.
func appenders(l *load) {
	fd, b, n := l.direct(), buffer(tasks*block), int64(1)
	if l.form == "places" {
		check("truncate", unix.Ftruncate(fd, tasks*each*block))
		overwrites(l)
		return
	}
	if l.before() {
		b, n = b[:block], tasks
	}
	l.work(n, each, func(_, _ int64) {
		_, err := unix.Pwritev2(fd, [][]byte{b}, 0, rwfAppend)
		check("append", err)
		l.wrote(1, int64(len(b)))
	})
}

const rwfAppend = 0x10

// appender is one alone.
func appender(l *load) {
	fd, b := l.direct(), buffer(block)
	l.work(1, 4*each, func(_, i int64) { l.write(fd, b, (1+i)*block) })
}

// overwrites are of whole blocks that lie inside the file.
func overwrites(l *load) {
	fd, b := l.direct(), buffer(block)
	l.work(tasks, each, func(k, i int64) { l.write(fd, b, (k*each+i)*block) })
}

// nowait is overwrites with RWF_NOWAIT.
func nowait(l *load) {
	lazily(l)
	fd, b, write := l.direct(), buffer(block), l.unwilling
	if l.form == "no-nowait" {
		write = l.write
	}
	l.work(tasks, each, func(k, i int64) { write(fd, b, (k*each+i)*block) })
}

// lazily mounts the file system so where that is the remedy, and else not so.
func lazily(l *load) {
	flags := uintptr(unix.MS_REMOUNT)
	if l.form == "lazytime" {
		flags |= unix.MS_LAZYTIME
	}
	check("remount", unix.Mount("", filepath.Dir(l.path), "", flags, ""))
}

// ringed is overwrites of io_uring, eight at a time, which tries each with NOWAIT at first
// unless it is told to have a worker make it.
func ringed(l *load) {
	lazily(l)
	fd, b, flags := l.direct(), buffer(block), byte(0)
	if l.form == "async" {
		flags = uring.Async
	}
	r, err := uring.New(tasks, block)
	check("io_uring", err)
	l.work(1, tasks*each, func(_, i int64) {
		r.Write(fd, b, i*block, flags)
		check("submit", r.Submit())
		left := tasks - 1
		if i == tasks*each-1 {
			left = 0
		}
		check("reap", r.Reap(left))
		l.wrote(1, block)
	})
}

// besideReaders is one task that writes on at the end, while others read.
func besideReaders(l *load) {
	fd, b := l.direct(), buffer(block)
	const end = tasks * each
	l.work(1, 2*each, func(_, i int64) { l.write(fd, b, (end+i)*block) })
	l.readers(fd, 6)
}

func (l *load) readers(fd int, n int64) {
	l.beside(n, func(k, i int64) {
		in := buffer(block)
		_, err := unix.Pread(fd, in, (k*each+i%each)*block)
		check("read", err)
		check("munmap", unix.Munmap(in))
	})
}

// besideFallocate is overwrites while more and more is allocated behind the end of the file.
// With the remedy that was done at once, before.
func besideFallocate(l *load) {
	fd := l.direct()
	const end = tasks * each * block
	if l.before() {
		l.beside(1, func(_, i int64) {
			check("fallocate", unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, end+i*16*block, 16*block))
		})
	}
	overwrites(l)
}

// Loads in which no time is lost.

func withOther(l *load) {
	overwritten(l)
	other := &load{path: l.path + "-other", form: l.form}
	other.written(tasks * each * block)
}

// besideOtherReads is overwrites of one file while another is read.
func besideOtherReads(l *load) {
	l.readers(l.open(l.path+"-other", unix.O_DIRECT), 4)
	overwrites(l)
}

// database is a file of pages, and a log that is written from its start to its end again.
func database(l *load) {
	overwritten(l)
	redo := &load{path: l.path + "-redo", form: l.form}
	redo.written(mib)
}

// queries change pages, and write what they did to the log at first.
func queries(l *load) {
	data, redo := l.direct(), l.open(l.path+"-redo", unix.O_DIRECT)
	page, record := buffer(stripe), buffer(block)
	var mu sync.Mutex
	end := int64(0)
	l.work(4, each/2, func(k, i int64) {
		mu.Lock()
		l.write(redo, record[:2*sector], end%(mib-block))
		end += 2 * sector
		mu.Unlock()
		l.write(data, page, (k*each/2+i)*stripe)
		time.Sleep(2 * time.Millisecond)
	})
}
