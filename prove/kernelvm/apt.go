package kernelvm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// apt runs the machine's apt on a private state folder, so that nothing of the
// machine changes and no root is needed. Signatures are checked as ever.
type apt struct {
	dir   string // private, kept between runs
	suite string
}

// errNoApt says that this machine has no apt or no Debian mirror.
var errNoApt = errors.New("no apt with a Debian mirror")

// aptProblem is what apt complained about.
type aptProblem struct {
	what string
	err  error
}

func (e *aptProblem) Error() string { return e.what }
func (e *aptProblem) Unwrap() error { return e.err }

// newApt prepares the private state folder dir for suite.
func newApt(ctx context.Context, dir, suite string) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("%w: apt-get is not there", errNoApt)
	}
	sources, err := readSources(sourceFiles(ctx))
	if err != nil {
		return nil, err
	}
	mirror, ok := debianMirror(sources)
	if !ok {
		return nil, fmt.Errorf("%w: apt's sources name no Debian mirror with main", errNoApt)
	}
	a := &apt{dir: dir, suite: suite}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644); err != nil {
		return nil, err
	}
	return a, os.WriteFile(filepath.Join(a.dir, "private.sources"), []byte(mirror.forSuite(suite)), 0o644)
}

// sourceFiles asks apt where its sources are: a file, and a folder with more.
func sourceFiles(ctx context.Context) (list, parts string) {
	list, parts = "/etc/apt/sources.list", "/etc/apt/sources.list.d"
	out, _ := exec.CommandContext(ctx, "apt-config", "shell", "list", "Dir::Etc::sourcelist/f", "parts", "Dir::Etc::sourceparts/d").Output()
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, "'")
		switch name {
		case "list":
			list = value
		case "parts":
			parts = value
		}
	}
	return list, parts
}

// readSources reads all of the machine's entries in apt's order.
func readSources(list, parts string) ([]aptSource, error) {
	more, _ := filepath.Glob(filepath.Join(parts, "*"))
	var all []aptSource
	for _, file := range append([]string{list}, more...) {
		raw, err := os.ReadFile(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("read apt's sources: %w", err)
		case strings.HasSuffix(file, ".sources"):
			all = append(all, parseDeb822(bytes.NewReader(raw))...)
		case strings.HasSuffix(file, ".list"):
			all = append(all, parseOneLine(bytes.NewReader(raw))...)
		}
	}
	return all, nil
}

// command makes an apt command line on the private state.
func (a *apt) command(ctx context.Context, prog string, args ...string) *exec.Cmd {
	at := func(name string) string { return filepath.Join(a.dir, name) }
	opts := []string{
		"Dir::State=" + a.dir, "Dir::State::lists=" + at("lists"), "Dir::State::status=" + at("status"),
		"Dir::Cache=" + at("cache"), "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=",
		"Dir::Etc::sourcelist=" + at("private.sources"), "Dir::Etc::sourceparts=-",
		"Dir::Etc::preferences=-", "Dir::Etc::preferencesparts=-",
		"APT::Architecture=amd64", "APT::Update::Error-Mode=any", "APT::Sandbox::User=root",
		"Acquire::GzipIndexes=true", "Acquire::Languages=none", "Acquire::Retries=2", "Acquire::http::Timeout=20",
		"Acquire::https::Timeout=20",
	}
	var full []string
	for _, o := range opts {
		full = append(full, "-o", o)
	}
	cmd := exec.CommandContext(ctx, prog, append(full, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = program.OwnGroup()
	return cmd
}

// run runs apt and returns its output, or its first complaint.
func (a *apt) run(ctx context.Context, dir, prog string, args ...string) ([]byte, error) {
	cmd := a.command(ctx, prog, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil {
		return stdout.Bytes(), nil
	}
	if saysDiskFull(stderr.String()) {
		err = syscall.ENOSPC
	}
	return nil, &aptProblem{complaint(stderr.String(), err), err}
}

// complaint picks apt's first error line, shortened.
func complaint(stderr string, err error) string {
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "E: "); ok {
			return rest
		}
		if rest, ok := strings.CutPrefix(line, "Err:"); ok {
			return rest
		}
	}
	return err.Error()
}

// update fetches the suite's package lists.
func (a *apt) update(ctx context.Context) error {
	_, err := a.run(ctx, a.dir, "apt-get", "-q", "update")
	return err
}

// debPackage is what apt knows about one package.
type debPackage struct {
	name, version string
	pinned        []string // dependencies on exactly this version
	size          int64    // of the .deb, in bytes
}

var pinnedDep = regexp.MustCompile(`^(linux-[a-z]+-[^ ]+) \(= ([^ )]+)\)$`)

// parsePackages reads the paragraphs that apt-cache show prints.
func parsePackages(text []byte) (all []debPackage) {
	for _, p := range paragraphs(bytes.NewReader(text)) {
		var d debPackage
		for _, o := range p {
			switch o.name {
			case "Package":
				d.name = o.value
			case "Version":
				d.version = o.value
			case "Size":
				d.size, _ = strconv.ParseInt(o.value, 10, 64)
			case "Depends":
				for dep := range strings.SplitSeq(o.value, ", ") {
					if m := pinnedDep.FindStringSubmatch(dep); m != nil {
						d.pinned = append(d.pinned, m[1]+"="+m[2])
					}
				}
			}
		}
		all = append(all, d)
	}
	return all
}

// show returns the candidate of a package, or false when there is none.
func (a *apt) show(ctx context.Context, name string) (debPackage, bool, error) {
	out, err := a.run(ctx, a.dir, "apt-cache", "--no-all-versions", "show", name)
	var problem *aptProblem
	if errors.As(err, &problem) && strings.Contains(problem.what, "No packages found") {
		return debPackage{}, false, nil
	}
	if err != nil {
		return debPackage{}, false, err
	}
	for _, p := range parsePackages(out) {
		if p.name == name {
			return p, true, nil
		}
	}
	return debPackage{}, false, nil
}

// kernelPackages follows the dependencies of a kernel's meta package on exact
// versions. It returns the packages that hold the kernel: one until Linux 6,
// and from Linux 7 on linux-image (a stub), -binary, -modules and -base.
func (a *apt) kernelPackages(ctx context.Context, meta string) (version string, pkgs []debPackage, err error) {
	root, ok, err := a.show(ctx, meta)
	if err != nil || !ok {
		return "", nil, err
	}
	queue := root.pinned
	for n := 0; n < len(queue); n++ {
		name, version, _ := strings.Cut(queue[n], "=")
		if version != root.version {
			continue
		}
		p, ok, err := a.show(ctx, name)
		if err != nil {
			return "", nil, err
		}
		if !ok || p.version != version {
			return "", nil, &aptProblem{what: fmt.Sprintf("%s %s is not in %s", name, version, a.suite), err: errors.New("missing")}
		}
		pkgs = append(pkgs, p)
		for _, dep := range p.pinned {
			if !slices.Contains(queue, dep) {
				queue = append(queue, dep)
			}
		}
	}
	return root.version, pkgs, nil
}

// download fetches packages into dir and returns the .deb files.
func (a *apt) download(ctx context.Context, dir string, pkgs []debPackage) ([]string, error) {
	args := []string{"-q", "download"}
	for _, p := range pkgs {
		args = append(args, p.name+"="+p.version)
	}
	if _, err := a.run(ctx, dir, "apt-get", args...); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(dir, "*.deb"))
}
