package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// loop: the first half of a sparse file is a file system on a loop device, and the other
// half is written over. FITRIM in that file system has a thread of the kernel punch holes.
func loop(s *scenario) {
	const size, half = 64 * mib, 32 * mib
	fd := s.open(unix.O_DIRECT)
	check("truncate", unix.Ftruncate(fd, size))
	mkfs := exec.Command("mkfs.ext4", "-q", "-F", "-b", fmt.Sprint(block), "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", s.path, fmt.Sprintf("%dM", half/mib))
	mkfs.Stderr = os.Stderr
	check("mkfs.ext4", mkfs.Run())

	dev, name := attach(s.open(0), half)
	mnt := s.path + ".mnt"
	check("mkdir", os.Mkdir(mnt, 0o700))
	begun := now()
	check("mount "+name, unix.Mount(name, mnt, "ext4", 0, ""))
	b := buffer(mib)
	for at := int64(half); at < size; at += mib {
		s.counted(func(t *task) {
			t.do("write", func() error { _, err := unix.Pwrite(fd, b, at); return err })
		})
		s.count.Wait()
	}
	for k := range int64(3) {
		b := buffer(block)
		s.forever(func(t *task, n int64) {
			at := half + (k*256+n%256)*block
			t.do("write", func() error { _, err := unix.Pwrite(fd, b, at); return err })
		})
	}
	s.counted(func(t *task) {
		for range 60 {
			trim(t, mnt)
		}
	})
	s.wait()
	check("umount", unix.Unmount(mnt, 0))
	check("detach", unix.IoctlSetInt(dev, unix.LOOP_CLR_FD, 0))
	// What the file system itself reads and writes is the loop device's to do, too.
	s.kernel("buffered-write", begun, now())
}

// kernel writes down what a worker of the kernel may have done.
func (s *scenario) kernel(what string, from, to int64) {
	s.tasks = append(s.tasks, &task{scenario: s, ops: []op{{s.name, what, 0, 0, "kworker/", s.ino, from, to}}})
}

// attach makes the beginning of a file a loop device.
func attach(file int, size uint64) (dev int, name string) {
	control, err := unix.Open("/dev/loop-control", unix.O_RDWR, 0)
	check("open loop-control", err)
	n, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
	check("find a loop device", err)
	name = fmt.Sprintf("/dev/loop%d", n)
	dev, err = unix.Open(name, unix.O_RDWR, 0)
	check("open "+name, err)
	cfg := unix.LoopConfig{Fd: uint32(file), Size: block, Info: unix.LoopInfo64{Sizelimit: size}}
	check("set up "+name, unix.IoctlLoopConfigure(dev, &cfg))
	return dev, name
}

// trim frees blocks that the file system had in use, and has it tell the device.
func trim(t *task, mnt string) {
	name := filepath.Join(mnt, "freed")
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_CREAT, 0o600)
	check("create "+name, err)
	check("fallocate", unix.Fallocate(fd, 0, 0, 4*mib))
	check("unlink", unix.Unlink(name))
	check("close", unix.Close(fd))
	dir, err := unix.Open(mnt, unix.O_RDONLY, 0)
	check("open "+mnt, err)
	defer unix.Close(dir)
	check("syncfs", unix.Syncfs(dir))
	all := struct{ start, len, min uint64 }{len: 1 << 40}
	const fitrim = 0xc0185879
	from := now()
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(dir), fitrim, uintptr(unsafe.Pointer(&all)))
	if errno != 0 {
		check("FITRIM", errno)
	}
	if all.len == 0 {
		check("FITRIM", fmt.Errorf("nothing was trimmed"))
	}
	t.kernel("fallocate:punch-hole", from, now())
}
