package matrix

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
)

// rootPackages are Debian's, by their exact names: two databases, what writes to them, and
// the few programs that the scripts need.
var rootPackages = []string{
	"base-files", "base-passwd", "coreutils", "dash", "grep", "libc-bin", "sed", "util-linux",
	"mariadb-server-core", "mariadb-client-core", "sysbench", "postgresql-17",
}

// TestDatabases: where people run it nothing is lost, incomplete, undecided or in
// disagreement, and each name is the file's. Debian's MariaDB and PostgreSQL run on a root
// file system of Debian that the test makes.
func TestDatabases(t *testing.T) {
	need(t)
	const kernel = "debian-7.3"
	notice := func(text string) { t.Log(text) }
	made, err := kernelvm.DebianRoot(t.Context(), "trixie", 1500<<20, rootPackages, notice)
	if errors.Is(err, kernelvm.ErrNoRoot) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root.img")
	if err := kernelvm.CopyImage(root, made); err != nil {
		t.Fatal(err)
	}
	inDebian(t, kernel, root, "prepare", "--write-disk")
	for name, dir := range map[string]string{"mariadb": "/var/lib/mysql", "postgres": "/var/lib/postgresql/data"} {
		t.Run(name, func(t *testing.T) {
			r := inDebian(t, kernel, root, name)
			if got := r.status(t, "record"); got != 0 {
				t.Errorf("record ended with %d:\n%s", got, tail(r.read(t, "record.err"), 30))
			}
			c := r.checked(t)
			c.whole(t)
			c.named(t, dir, inodes(r.read(t, "files"), dir))
			c.tied(t)
			if name == "mariadb" {
				c.refusedByPoint(t, r)
				c.advised(t)
			}
		})
	}
}

// inDebian boots a kernel with a root file system of Debian, and runs a script in it.
func inDebian(t *testing.T, kernel, root, script string, args ...string) *result {
	t.Helper()
	r := &result{dir: t.TempDir()}
	args = append(args, "--disk", root, "--mem", "1536M", "--share", "testdata/databases", "--out", r.dir)
	for _, name := range []string{"mount", "mkdir", "cp", "chmod", "chroot"} {
		args = append(args, "--bin", name)
	}
	out, stderr, status := guest(t, kernelSpec(t, kernel), append(args, "--", "exec", "--", "sh", "/share/enter.sh", script)...)
	if status != 0 {
		t.Fatalf("%s: the guest ended with %d:\n%s\n%s", script, status, tail(out, 30), tail(stderr, 30))
	}
	return r
}

// checkedTrace is what check --json says of a recording, as far as it is looked at.
type checkedTrace struct {
	Missing *string
	Summary struct {
		Issued, Seen, Lost, Unfinished, Unaccounted, Incomplete, Unpaired uint64
		Verdicts, Undecided, Written                                      map[string]uint64
		Requests, Retried                                                 *uint64
		Refused                                                           []struct {
			At     string
			Writes uint64
		}
		Advice []struct {
			ID, Sentence string
		}
	}
	Counts struct {
		Files []struct {
			Name, Path string
			Ino        uint64
			Writes     uint64
		}
	}
}

// checked judges the recording on the host.
func (r *result) checked(t *testing.T) *checkedTrace {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t), "check", "--json", filepath.Join(r.dir, "trace.e4d")).Output()
	if err != nil {
		t.Errorf("check: %v", err)
	}
	var all struct{ Traces []checkedTrace }
	if err := json.Unmarshal(out, &all); err != nil || len(all.Traces) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return &all.Traces[0]
}

// whole: every write was seen as a whole and judged, and none disagrees.
func (c *checkedTrace) whole(t *testing.T) {
	t.Helper()
	s := &c.Summary
	t.Logf("%d writes, written %v, verdicts %v", s.Seen, s.Written, s.Verdicts)
	if s.Seen < 1000 {
		t.Errorf("only %d writes were seen", s.Seen)
	}
	if c.Missing != nil {
		t.Errorf("missing: %s", *c.Missing)
	}
	if s.Issued != s.Seen || s.Lost+s.Unfinished+s.Unaccounted+s.Incomplete+s.Unpaired > 0 {
		t.Errorf("%d issued, %d seen, %d lost, %d unfinished, %d unaccounted, %d incomplete, %d unpaired",
			s.Issued, s.Seen, s.Lost, s.Unfinished, s.Unaccounted, s.Incomplete, s.Unpaired)
	}
	if s.Verdicts["agree"] != s.Seen {
		t.Errorf("of %d writes not all agree: %v, undecided %v", s.Seen, s.Verdicts, s.Undecided)
	}
}

// named: every file has a name, and one that is there at the end has its own. The logs are
// used again under other names: there the folder has to be right.
func (c *checkedTrace) named(t *testing.T, dir string, names map[uint64]string) {
	t.Helper()
	exact, writes := 0, uint64(0)
	entries := map[uint64]int{}
	for _, f := range c.Counts.Files {
		entries[f.Ino]++
	}
	for _, f := range c.Counts.Files {
		is := names[f.Ino]
		if entries[f.Ino] > 1 && is != f.Path {
			is = "" // the number was used again: it is another file's
		}
		writes += f.Writes
		recycled := strings.Contains(f.Path, "/pg_wal/") || strings.Contains(f.Path, "/ib_logfile")
		switch {
		case !strings.HasPrefix(f.Path, dir+"/"):
			t.Errorf("inode %d with %d writes is shown as %q, which is not below %s", f.Ino, f.Writes, f.Name, dir)
		case is == f.Path:
			exact++
		case is != "" && !(recycled && path.Dir(is) == path.Dir(f.Path)):
			t.Errorf("inode %d with %d writes is shown as %q, and is %q", f.Ino, f.Writes, f.Path, is)
		default:
			t.Logf("inode %d with %d writes is shown as %q, and at the end is %q", f.Ino, f.Writes, f.Path, is)
		}
	}
	if writes != c.Summary.Seen {
		t.Errorf("the files have %d writes, of %d", writes, c.Summary.Seen)
	}
	t.Logf("%d files, %d by the name that they have at the end", len(c.Counts.Files), exact)
	if exact == 0 {
		t.Error("no file has its name")
	}
}

// tied: a request is counted once however often it was tried, and each refusal has its point.
func (c *checkedTrace) tied(t *testing.T) {
	t.Helper()
	s := &c.Summary
	if s.Requests == nil || s.Retried == nil {
		t.Error("requests are not told from tries")
		return
	}
	refused := uint64(0)
	for _, r := range s.Refused {
		if r.At == "unknown" {
			t.Errorf("%d tries were refused nobody knows where", r.Writes)
		}
		refused += r.Writes
	}
	t.Logf("%d requests, %d tries were refused and followed by another; refused %v", *s.Requests, *s.Retried, s.Refused)
	if *s.Requests+*s.Retried != s.Seen || *s.Retried > refused {
		t.Errorf("%d requests and %d tries again are not %d writes, of which %d were refused", *s.Requests, *s.Retried, s.Seen, refused)
	}
}

// refusedByPoint: InnoDB writes by io_uring, whose first tries ext4 refuses, and the summary
// that people read says at which points.
func (c *checkedTrace) refusedByPoint(t *testing.T, r *result) {
	t.Helper()
	if c.Summary.Retried == nil || *c.Summary.Retried == 0 {
		t.Error("no try was refused: InnoDB did not use io_uring")
	}
	text := r.read(t, "record.err")
	check, err := exec.CommandContext(t.Context(), program(t), "check", filepath.Join(r.dir, "trace.e4d")).CombinedOutput()
	if err != nil {
		t.Errorf("check: %v", err)
	}
	for _, p := range c.Summary.Refused {
		if want := fmt.Sprintf("%d %s", p.Writes, p.At); !strings.Contains(string(check), want) {
			t.Errorf("%q is not in what check says:\n%s\nand record said:\n%s", want, check, text)
		}
	}
	t.Logf("%s", tail(string(check), 12))
}

// advised: what is said of MariaDB first are its tries that are refused for a timestamp, and
// the blocks at the end of its log that are not written yet.
func (c *checkedTrace) advised(t *testing.T) {
	t.Helper()
	first := map[string]bool{}
	for i, a := range c.Summary.Advice {
		t.Logf("%d. %s: %s", i+1, a.ID, a.Sentence)
		if i < 2 {
			first[a.ID] = true
		}
	}
	if !first["nowait-timestamps"] || !first["tail-unwritten"] {
		t.Errorf("advised first is %v", first)
	}
}

// inodes reads what ls -iR says of a folder.
func inodes(text, dir string) map[uint64]string {
	out := map[uint64]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		var ino uint64
		var name string
		if in, ok := strings.CutSuffix(lines.Text(), ":"); ok && strings.HasPrefix(in, "/") {
			dir = in
		} else if n, _ := fmt.Sscan(lines.Text(), &ino, &name); n == 2 {
			out[ino] = path.Join(dir, name)
		}
	}
	return out
}

// tail is the end of a text, n lines at most.
func tail(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
