package kernelvm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// cacheFresh is for how long a cached kernel is used without asking the
	// mirror for a newer one.
	cacheFresh = 7 * 24 * time.Hour
	// cacheUnused is after what time without use an older kernel is removed.
	cacheUnused = 7 * 24 * time.Hour
)

// cacheFolder keeps the versions of one kernel: a folder each, which is there
// as a whole or not at all, and a file that names the current one.
type cacheFolder struct {
	dir string
}

// cacheState is the file "current".
type cacheState struct {
	Version string
	Checked time.Time // when the mirror was last asked
}

// cacheDir is the user's cache folder for this program.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", unfitf("set XDG_CACHE_HOME or HOME", "find the cache folder: %w", err)
	}
	return filepath.Join(dir, "ext4dio-trace"), nil
}

// lock waits until no other process changes the folder.
func (c cacheFolder) lock(ctx context.Context, notice func(string)) (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", c.dir, err)
		}
		if !told {
			notice("waiting for another process that fetches the same kernel")
			told = true
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// version is the folder of one version.
func (c cacheFolder) version(v string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(v, "/", "_"))
}

// current tells the version in use, "" for none.
func (c cacheFolder) current() cacheState {
	var s cacheState
	raw, err := os.ReadFile(filepath.Join(c.dir, "current"))
	if err != nil || json.Unmarshal(raw, &s) != nil || s.Version == "" {
		return cacheState{}
	}
	if !isFile(filepath.Join(c.version(s.Version), "vmlinuz")) {
		return cacheState{}
	}
	return s
}

// setCurrent names the version in use.
func (c cacheFolder) setCurrent(s cacheState) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp := filepath.Join(c.dir, ".current")
	if err := os.WriteFile(tmp, raw, 0o644); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, filepath.Join(c.dir, "current"))
}

// install makes the folder of a version: fill gets an empty folder, which only
// takes its place when fill returns without error. The lock must be held.
func (c cacheFolder) install(v string, fill func(dir string) error) (err error) {
	c.sweep()
	tmp, err := os.MkdirTemp(c.dir, ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp)
		}
	}()
	if err := fill(tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	final := c.version(v)
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	return os.Rename(tmp, final)
}

// sweep removes what killed processes left behind. The lock must be held.
func (c cacheFolder) sweep() {
	old, _ := filepath.Glob(filepath.Join(c.dir, ".new-*"))
	for _, dir := range old {
		_ = os.RemoveAll(dir)
	}
}

// used notes that a version is in use now.
func (c cacheFolder) used(v string) {
	now := time.Now()
	_ = os.Chtimes(c.version(v), now, now)
}

// prune removes versions other than keep that were not used for long. The lock
// must be held.
func (c cacheFolder) prune(keep string) {
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || filepath.Join(c.dir, e.Name()) == c.version(keep) || time.Since(info.ModTime()) < cacheUnused {
			continue
		}
		_ = os.RemoveAll(filepath.Join(c.dir, e.Name()))
	}
}
