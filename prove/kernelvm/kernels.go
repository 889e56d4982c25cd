package kernelvm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// DefaultKernel is booted when no --kernel is given.
const DefaultKernel = "debian:trixie-backports/amd64"

// Suites are the Debian suites whose kernels can be booted.
var Suites = []string{"bookworm", "trixie", "trixie-backports", "sid", "experimental"}

// Flavours are the flavours of Debian's amd64 kernels.
var Flavours = []string{"amd64", "cloud-amd64", "rt-amd64"}

// ResolveOptions say how a kernel is found.
type ResolveOptions struct {
	Modules string            // folder with the modules of a kernel given by its path
	Update  bool              // ask the mirror even when the cached kernel is fresh
	Notice  func(line string) // gets progress, may be nil
}

// Resolve finds the kernel that spec names: debian:SUITE[/FLAVOUR], the path of
// a bzImage, or paths of .deb files separated by commas. Debian's kernels are
// fetched by apt and kept in the cache, which also serves without network.
//
// The error is a *hint.UsageError for a spec that names no kernel and an *hint.UnfitError
// when it cannot be had here.
func Resolve(ctx context.Context, spec string, opts ResolveOptions) (Kernel, error) {
	if runtime.GOARCH != "amd64" {
		return Kernel{}, unfitf("run it on an amd64 machine", "virtual machines are only supported on amd64, not on %s", runtime.GOARCH)
	}
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	if spec == "" {
		spec = DefaultKernel
	}
	if rest, ok := strings.CutPrefix(spec, "debian:"); ok {
		suite, flavour, err := parseDebianSpec(rest)
		if err != nil {
			return Kernel{}, err
		}
		if opts.Modules != "" {
			return Kernel{}, usagef("leave --modules out: a Debian kernel brings its own", "--modules goes with a bzImage only")
		}
		return resolveDebian(ctx, suite, flavour, opts)
	}
	if strings.HasSuffix(spec, ".deb") {
		return resolveDebs(ctx, strings.Split(spec, ","), opts)
	}
	return resolveImage(spec, opts)
}

// parseDebianSpec reads SUITE[/FLAVOUR].
func parseDebianSpec(spec string) (suite, flavour string, err error) {
	suite, flavour, _ = strings.Cut(spec, "/")
	if !slices.Contains(Suites, suite) {
		return "", "", usagef("known suites: "+strings.Join(Suites, ", "), "unknown Debian suite %q", suite)
	}
	switch {
	case flavour == "":
		flavour = Flavours[0]
	case slices.Contains(Flavours, flavour+"-amd64"):
		flavour += "-amd64"
	case !slices.Contains(Flavours, flavour):
		return "", "", usagef("known flavours: "+strings.Join(Flavours, ", "), "unknown kernel flavour %q", flavour)
	}
	return suite, flavour, nil
}

// resolveDebian finds a stock kernel in the cache or on the mirror.
func resolveDebian(ctx context.Context, suite, flavour string, opts ResolveOptions) (Kernel, error) {
	top, err := cacheDir()
	if err != nil {
		return Kernel{}, err
	}
	name := fmt.Sprintf("debian:%s/%s", suite, flavour)
	c := cacheFolder{filepath.Join(top, "kernels", suite+"-"+flavour)}
	have := c.current()
	if have.Version == "" || opts.Update || time.Since(have.Checked) > cacheFresh {
		fresh, err := refresh(ctx, c, top, suite, flavour, opts)
		switch {
		case err == nil:
			have = fresh
		case ctx.Err() != nil:
			return Kernel{}, ctx.Err()
		case have.Version == "" || opts.Update:
			return Kernel{}, refreshError(name, have.Version != "", err)
		default:
			opts.Notice(fmt.Sprintf("using the cached kernel %s %s (%v)", name, have.Version, err))
		}
	}
	c.used(have.Version)
	return cachedKernel(c.version(have.Version), name+" "+have.Version), nil
}

// refreshError words why a kernel cannot be had.
func refreshError(name string, cached bool, err error) error {
	if worded(err) {
		return err
	}
	advice := "check the network, or give a kernel's .deb files or a bzImage to --kernel"
	if errors.Is(err, errNoApt) {
		advice = "give a kernel's .deb files or a bzImage to --kernel"
	}
	if cached {
		return unfitf("leave --update out to use the cached one", "fetch %s: %w", name, err)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return unfitf(advice, "%s is not in the cache and cannot be fetched: %w", name, err)
	}
	return noKernelf(advice, "%s is not in the cache and cannot be fetched: %w", name, err)
}

// cachedKernel describes a kernel unpacked in dir.
func cachedKernel(dir, name string) Kernel {
	k := Kernel{Image: filepath.Join(dir, "vmlinuz"), Name: name}
	if vmlinux := filepath.Join(dir, "vmlinux"); isFile(vmlinux) {
		k.Vmlinux = vmlinux
	}
	if modules := filepath.Join(dir, "modules"); isDir(modules) {
		k.Modules = modules
	}
	return k
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// refresh asks the mirror and fetches what is new.
func refresh(ctx context.Context, c cacheFolder, top, suite, flavour string, opts ResolveOptions) (cacheState, error) {
	unlock, err := c.lock(ctx, opts.Notice)
	if err != nil {
		return cacheState{}, err
	}
	defer unlock()
	// Another process may have done it while we waited.
	if have := c.current(); have.Version != "" && !opts.Update && time.Since(have.Checked) < cacheFresh {
		return have, nil
	}
	private := cacheFolder{filepath.Join(top, "apt", suite)}
	unlockApt, err := private.lock(ctx, opts.Notice)
	if err != nil {
		return cacheState{}, err
	}
	defer unlockApt()
	a, err := newApt(ctx, private.dir, suite)
	if err != nil {
		return cacheState{}, err
	}
	opts.Notice(fmt.Sprintf("looking up the kernel of Debian's %s for %s", suite, flavour))
	if err := a.update(ctx); err != nil {
		return cacheState{}, err
	}
	version, pkgs, err := a.kernelPackages(ctx, "linux-image-"+flavour)
	if err != nil {
		return cacheState{}, err
	}
	if len(pkgs) == 0 {
		return cacheState{}, usagef("known flavours: "+strings.Join(Flavours, ", "), "%s has no kernel linux-image-%s", suite, flavour)
	}
	now := cacheState{Version: version, Checked: time.Now()}
	if !isFile(filepath.Join(c.version(version), "vmlinuz")) {
		err := c.install(version, func(dir string) error { return a.fetch(ctx, dir, pkgs, opts.Notice) })
		if err != nil {
			return cacheState{}, err
		}
	}
	if err := c.setCurrent(now); err != nil {
		return cacheState{}, err
	}
	c.prune(version)
	return now, nil
}

// fetch downloads packages and unpacks them into dir.
func (a *apt) fetch(ctx context.Context, dir string, pkgs []debPackage, notice func(string)) error {
	debs := filepath.Join(dir, ".debs")
	if err := os.Mkdir(debs, 0o755); err != nil {
		return err
	}
	size := int64(0)
	for _, p := range pkgs {
		size += p.size
	}
	notice(fmt.Sprintf("downloading the kernel %s (%d MB)", pkgs[0].version, (size+1e6-1)/1e6))
	files, err := a.download(ctx, debs, pkgs)
	if err != nil {
		return err
	}
	notice("unpacking it")
	if err := unpackKernel(files, dir); err != nil {
		return err
	}
	return os.RemoveAll(debs)
}

// unpackKernel unpacks packages into dir and checks that they held a kernel.
func unpackKernel(files []string, dir string) error {
	for _, file := range files {
		if err := unpackDeb(file, dir); err != nil {
			if errors.Is(err, syscall.ENOSPC) || worded(err) {
				return err
			}
			return usagef("give the .deb files of one kernel: linux-image, from Linux 7 on linux-binary and linux-modules too", "%w", err)
		}
	}
	image := filepath.Join(dir, "vmlinuz")
	if !isFile(image) {
		return usagef("from Linux 7 on the kernel is in linux-binary-…, its modules are in linux-modules-…",
			"no kernel in %s", strings.Join(baseNames(files), ", "))
	}
	if err := checkBzImage(image); err != nil {
		return err
	}
	if modules := filepath.Join(dir, "modules"); isDir(modules) {
		set, err := newModuleSet(modules)
		if err == nil {
			err = set.expand(slices.Concat(guestModulesWanted, guestModulesExtra))
		}
		if err != nil {
			return err
		}
	}
	// Without it the kernel boots all the same.
	if err := writeVmlinux(image, filepath.Join(dir, "vmlinux")); errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

func baseNames(files []string) []string {
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// resolveDebs unpacks packages of the user's own, once.
func resolveDebs(ctx context.Context, files []string, opts ResolveOptions) (Kernel, error) {
	top, err := cacheDir()
	if err != nil {
		return Kernel{}, err
	}
	key := sha256.New()
	for _, file := range files {
		st, err := os.Stat(file)
		if err != nil {
			return Kernel{}, noKernelf("", "kernel package: %w", err)
		}
		abs, err := filepath.Abs(file)
		if err != nil {
			return Kernel{}, usagef("", "kernel package: %w", err)
		}
		fmt.Fprintln(key, abs, st.Size(), st.ModTime().UnixNano())
	}
	c := cacheFolder{filepath.Join(top, "kernels", "deb")}
	version := hex.EncodeToString(key.Sum(nil))[:24]
	unlock, err := c.lock(ctx, opts.Notice)
	if err != nil {
		return Kernel{}, cacheError(ctx, err)
	}
	defer unlock()
	if !isFile(filepath.Join(c.version(version), "vmlinuz")) {
		opts.Notice("unpacking " + strings.Join(baseNames(files), ", "))
		if err := c.install(version, func(dir string) error { return unpackKernel(files, dir) }); err != nil {
			return Kernel{}, cacheError(ctx, err)
		}
	}
	c.used(version)
	c.prune(version)
	return cachedKernel(c.version(version), strings.Join(baseNames(files), ",")), nil
}

// cacheError words what went wrong with the cache.
func cacheError(ctx context.Context, err error) error {
	if ctx.Err() != nil || worded(err) {
		return err
	}
	return unfitf("", "keep the kernel in the cache: %w", err)
}

// resolveImage takes a bzImage of the user's own.
func resolveImage(file string, opts ResolveOptions) (Kernel, error) {
	if err := checkBzImage(file); err != nil {
		return Kernel{}, err
	}
	k := Kernel{Image: file, Name: file}
	if opts.Modules != "" {
		dir, err := findModules(opts.Modules)
		if err != nil {
			return Kernel{}, err
		}
		k.Modules = dir
	}
	return k, nil
}
