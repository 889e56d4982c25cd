package probes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// CachedReturns counts what ext4_map_blocks with EXT4_GET_BLOCKS_CACHED_NOWAIT
// returned (struct cached_returns of bpf/cached.bpf.c).
type CachedReturns struct {
	Zero  uint64
	Again uint64 // -EAGAIN
	Found uint64 // a number of blocks
	Other uint64 // another error
}

// Total is the number of calls.
func (c CachedReturns) Total() uint64 { return c.Zero + c.Again + c.Found + c.Other }

func (c CachedReturns) since(b CachedReturns) CachedReturns {
	return CachedReturns{Zero: c.Zero - b.Zero, Again: c.Again - b.Again, Found: c.Found - b.Found, Other: c.Other - b.Other}
}

// CachedWalk is one walk through the symlink.
type CachedWalk struct {
	CachedReturns
	Err error // of the walk itself: it must succeed whatever the lookup returned
}

// CachedLookupResult is what two walks of one symlink made ext4_map_blocks return.
type CachedLookupResult struct {
	// Miss is the first walk, when the extent status tree of the symlink did not
	// hold its block. Hit is the second one, after the block was read.
	Miss, Hit CachedWalk
}

// Again reports whether a lookup of cached blocks returns -EAGAIN for a block that
// is not in the cache (patch 6), or 0 as if it were a hole. When why is not empty
// the kernel did not show it, for the reason that it gives.
func (r *CachedLookupResult) Again() (again bool, why string) {
	switch m := r.Miss; {
	case m.Total() == 0:
		return false, "the kernel made no cached lookup: the walk left RCU mode before the symlink, or the symlink has no block"
	case m.Found > 0:
		return false, "the block of the symlink was in the extent status cache already"
	case m.Other > 0 || m.Zero > 0 && m.Again > 0:
		return false, fmt.Sprintf("the lookups did not agree: %d returned 0, %d -EAGAIN, %d another error", m.Zero, m.Again, m.Other)
	}
	// A block that is cached must be found, else the first walk proves nothing.
	if r.Hit.Found == 0 || r.Hit.Total() != r.Hit.Found {
		return false, "a second walk did not find the block in the extent status cache"
	}
	return r.Miss.Again > 0, ""
}

// CachedLookupLink is the symlink that PrepareCachedLookup makes.
const CachedLookupLink = "e4d-slow-symlink"

// slowTarget has more bytes than an inode holds, so it takes a block, and leads
// back to the directory of the symlink.
var slowTarget = strings.Repeat("./", 64) + "."

// ErrNotPrepared is returned where the symlink of PrepareCachedLookup is missing.
var ErrNotPrepared = errors.New("no symlink was prepared there")

// PrepareCachedLookup makes the symlink CachedLookupLink in dir, a directory of the
// caller's own on an ext4, and writes it to the disk. One that an earlier run left
// is replaced; anything else of that name is an error.
func PrepareCachedLookup(dir string) error {
	fd, err := openDir(dir)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := slowLink(fd); err == nil {
		if err := unix.Unlinkat(fd, CachedLookupLink, 0); err != nil {
			return fmt.Errorf("remove old symlink: %w", err)
		}
	}
	if err := unix.Symlinkat(slowTarget, fd, CachedLookupLink); err != nil {
		return fmt.Errorf("make symlink %s in %s: %w", CachedLookupLink, dir, err)
	}
	// An access time that is due makes a walk leave RCU mode (atime_needs_update).
	// relatime leaves one alone that is later than the last change.
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	times := []unix.Timespec{{Sec: now.Sec + 3600}, {Nsec: unix.UTIME_OMIT}}
	if err := unix.UtimesNanoAt(fd, CachedLookupLink, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set access time of %s: %w", CachedLookupLink, err)
	}
	// An inode that waits for the disk is not dropped.
	if err := unix.Syncfs(fd); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// CachedLookup walks the symlink that PrepareCachedLookup left in dir, twice, and
// tells what ext4_map_blocks returned for it; then the symlink is removed. The
// walk in RCU mode asks for cached blocks only, as NOWAIT writes do since patches
// 7 and 8: so it shows patch 6 where no write makes such a lookup.
//
// With dropCaches it drops the dentries and inodes of the whole system that nobody
// uses, by /proc/sys/vm/drop_caches. Otherwise the file system has to be mounted anew
// between PrepareCachedLookup and CachedLookup.
//
// Errors wrap ErrNotPrepared, or are *hint.UnfitError where the kernel cannot be asked.
func CachedLookup(ctx context.Context, dir string, dropCaches bool) (res CachedLookupResult, err error) {
	fd, err := openDir(dir)
	if err != nil {
		return res, err
	}
	defer unix.Close(fd)
	if _, err := slowLink(fd); err != nil {
		return res, fmt.Errorf("look up %s in %s: %w", CachedLookupLink, dir, err)
	}
	defer func() {
		if e := unix.Unlinkat(fd, CachedLookupLink, 0); e != nil {
			err = errors.Join(err, fmt.Errorf("remove symlink %s: %w", CachedLookupLink, e))
		}
	}()
	if dropCaches {
		if err := dropInodes(ctx); err != nil {
			return res, err
		}
	}
	// This brings dentry and inode back, but not the body of the symlink: it must
	// be walked for the first time below.
	st, err := slowLink(fd)
	if err != nil {
		return res, fmt.Errorf("look up %s in %s: %w", CachedLookupLink, dir, err)
	}
	w, err := watchCached(st)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := ctx.Err(); err != nil {
		return res, err
	}
	return w.walkTwice(fd)
}

func (w *cachedWatch) walkTwice(fd int) (res CachedLookupResult, err error) {
	if res.Miss, err = w.walk(fd); err != nil {
		return res, err
	}
	if res.Miss.Err != nil {
		// The walk ended before it read the block; readlink does read it.
		_, _ = unix.Readlinkat(fd, CachedLookupLink, make([]byte, len(slowTarget)))
	}
	res.Hit, err = w.walk(fd)
	return res, err
}

func openDir(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open directory %s: %w", dir, err)
	}
	return fd, nil
}

// slowLink looks the symlink up without reading where it leads.
func slowLink(fd int) (*unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Fstatat(fd, CachedLookupLink, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, ErrNotPrepared
	case err != nil:
		return nil, err
	case st.Mode&unix.S_IFMT != unix.S_IFLNK || st.Size != int64(len(slowTarget)):
		return nil, fmt.Errorf("%w: something else has its name", ErrNotPrepared)
	}
	return &st, nil
}

// dropInodes makes the kernel forget unused dentries, inodes and extent status
// trees. What was used lately survives the first call.
func dropInodes(ctx context.Context) error {
	for range 3 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("2"), 0); err != nil {
			return fmt.Errorf("drop unused inodes: %w", err)
		}
	}
	return nil
}

// cachedWatch counts the lookups of one inode.
type cachedWatch struct {
	coll *ebpf.Collection
	link link.Link
}

func watchCached(st *unix.Stat_t) (*cachedWatch, error) {
	spec, err := loadCached()
	if err != nil {
		return nil, fmt.Errorf("read embedded BPF object: %w", err)
	}
	dev := unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)
	if err := setConstants(spec, map[string]any{"cfg_dev": dev, "cfg_ino": st.Ino}); err != nil {
		return nil, err
	}
	w := &cachedWatch{}
	if w.coll, err = ebpf.NewCollection(spec); err != nil {
		return nil, unfitForCached(err)
	}
	w.link, err = link.AttachTracing(link.TracingOptions{Program: w.coll.Programs["fx_cached"], AttachType: ebpf.AttachTraceFExit})
	if err != nil {
		w.coll.Close()
		return nil, unfitForCached(err)
	}
	return w, nil
}

// unfitForCached says that the kernel has no trampolines for this, or refuses.
func unfitForCached(err error) error {
	return hint.Unfitf(vmHint, "watch ext4_map_blocks by fexit: %v", err)
}

func (w *cachedWatch) close() error {
	err := w.link.Close()
	w.coll.Close()
	return err
}

// walk follows the symlink once, from the directory itself so that nothing on the
// way to it ends RCU mode.
func (w *cachedWatch) walk(fd int) (CachedWalk, error) {
	before, err := w.read()
	if err != nil {
		return CachedWalk{}, err
	}
	var st unix.Stat_t
	walked := unix.Fstatat(fd, CachedLookupLink, &st, 0)
	after, err := w.read()
	if err != nil {
		return CachedWalk{}, err
	}
	return CachedWalk{after.since(before), walked}, nil
}

func (w *cachedWatch) read() (c CachedReturns, err error) {
	if err := w.coll.Variables["cached"].Get(&c); err != nil {
		return c, fmt.Errorf("read counts of lookups: %w", err)
	}
	return c, nil
}
