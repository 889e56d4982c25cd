package kernelvm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// ErrNoRoot is wrapped by the error of DebianRoot where there is no apt, or no mirror answers.
var ErrNoRoot = errors.New("no root file system of Debian can be made here")

// DebianRoot makes an ext4 image of size bytes that holds packages of a Debian suite with all
// that they depend on, for a guest whose programs expect a whole system, and returns its path.
// The packages are unpacked, and no script of theirs has run. It is kept in the cache for a
// week, and must not be written to. Root's privileges are not needed; without them all files
// belong to the user who made it.
func DebianRoot(ctx context.Context, suite string, size int64, packages []string, notice func(string)) (string, error) {
	top, err := cacheDir()
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Append(nil, suite, size, packages))
	c := cacheFolder{filepath.Join(top, "roots", suite)}
	unlock, err := c.lock(ctx, notice)
	if err != nil {
		return "", err
	}
	defer unlock()
	version := hex.EncodeToString(key[:12])
	image := filepath.Join(c.version(version), "root.img")
	if st, err := os.Stat(image); err == nil && time.Since(st.ModTime()) < cacheFresh {
		c.used(version)
		return image, nil
	}
	a, unlockApt, err := lockedApt(ctx, top, suite, notice)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRoot, err)
	}
	defer unlockApt()
	err = c.install(version, func(dir string) error {
		debs, err := a.downloadAll(ctx, dir, packages)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNoRoot, err)
		}
		notice(fmt.Sprintf("unpacking %d packages", len(debs)))
		if err := unpackRoot(ctx, filepath.Join(dir, "root"), debs); err != nil {
			return err
		}
		if err := packRoot(filepath.Join(dir, "root.img"), size, filepath.Join(dir, "root")); err != nil {
			return err
		}
		return errors.Join(os.RemoveAll(filepath.Join(dir, "root")), os.RemoveAll(filepath.Join(dir, "archives")))
	})
	if err != nil {
		return "", err
	}
	c.prune(version)
	return image, nil
}

// lockedApt is an apt for a suite with fresh lists, for us alone until unlock.
func lockedApt(ctx context.Context, top, suite string, notice func(string)) (a *apt, unlock func(), err error) {
	private := cacheFolder{filepath.Join(top, "apt", suite)}
	unlock, err = private.lock(ctx, notice)
	if err != nil {
		return nil, nil, err
	}
	if a, err = newApt(ctx, private.dir, suite); err == nil {
		notice("looking up packages of Debian's " + suite)
		err = a.update(ctx)
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return a, unlock, nil
}

// downloadAll fetches packages with all that they depend on into a folder below dir.
func (a *apt) downloadAll(ctx context.Context, dir string, packages []string) ([]string, error) {
	to := filepath.Join(dir, "archives")
	if err := os.MkdirAll(filepath.Join(to, "partial"), 0o755); err != nil {
		return nil, err
	}
	args := []string{"-q", "-y", "--no-install-recommends", "--download-only", "-o", "Dir::Cache::archives=" + to, "-o", "Debug::NoLocking=1", "install"}
	if _, err := a.run(ctx, dir, "apt-get", append(args, packages...)...); err != nil {
		return nil, err
	}
	debs, err := filepath.Glob(filepath.Join(to, "*.deb"))
	// The links of a merged /usr come first: other packages unpack through them.
	slices.SortStableFunc(debs, func(a, b string) int { return rank(a) - rank(b) })
	return debs, err
}

// rank is 0 of the package with a system's first folders.
func rank(deb string) int {
	if strings.HasPrefix(filepath.Base(deb), "base-files_") {
		return 0
	}
	return 1
}

// unpackRoot unpacks packages as a whole into a new folder.
func unpackRoot(ctx context.Context, dir string, debs []string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, deb := range debs {
		cmd := exec.CommandContext(ctx, "dpkg-deb", "--extract", deb, dir)
		cmd.SysProcAttr = program.OwnGroup()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", filepath.Base(deb), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// packRoot makes an ext4 image of a folder.
func packRoot(image string, size int64, dir string) error {
	from, err := mkfs(size, []string{"-b", "4096", "-m", "0", "-E", "root_owner=0:0", "-d", dir})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(image)
	if err != nil {
		return err
	}
	err = copySparse(to, from, size)
	return errors.Join(err, to.Close())
}

// copySparse copies what is not a hole.
func copySparse(to, from *os.File, size int64) error {
	extents, err := dataExtents(from)
	if err != nil {
		return err
	}
	for _, x := range extents {
		if _, err := io.Copy(io.NewOffsetWriter(to, x[0]), io.NewSectionReader(from, x[0], x[1])); err != nil {
			return err
		}
	}
	return to.Truncate(size)
}

// CopyImage copies an image that must not be written to, with its holes.
func CopyImage(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(copySparse(dst, src, st.Size()), dst.Close())
}
