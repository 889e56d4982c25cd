package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// namedRow is what the test reads of a line of JSON.
type namedRow struct {
	Ino        uint64
	Generation *uint32
	Path       string
	Caller     string
}

// writtenNames are the names of the writes of testdata/names/writes.sh, in their order.
func writtenNames() []string {
	names := []string{
		"/mnt/first", "/mnt/first (deleted)", "/mnt/second", "/mnt/third", "/mnt/after-mkfs", "/mnt/a/b/file", "/mnt/z/b/file",
		"/mnt/one", "/mnt/two", "/mnt/one", "/mnt/e\x1b[31m\nv\\040il (deleted)",
	}
	for i := range 40 {
		names = append(names, fmt.Sprintf("/mnt/shot%d", i+1))
	}
	deep := "..."
	for i := range 23 {
		deep += fmt.Sprintf("/d%d", i+8)
	}
	return append(names, deep+"/deep", "/mnt/up/in/upper", "/mnt/image")
}

// TestNames: each write is shown by the name through which its file was open at that
// moment, live and in a recording: inode numbers that are given to file after file, renames
// of a file and of a folder above it, links, deletions, programs that live for one write,
// overlayfs' upper files and a loop device's image.
func TestNames(t *testing.T) {
	need(t)
	t.Parallel()
	for _, kernel := range []string{"debian-6.1", "debian-7.3"} {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()
			r := namesGuest(t, kernelSpec(t, kernel))
			live := writes[namedRow](t, r.read(t, "live.jsonl"))
			r.sameNumber(t, live)
			view, err := exec.Command(program(t), "view", "--json", filepath.Join(r.dir, "names.e4d")).Output()
			if err != nil {
				t.Fatalf("view: %v", err)
			}
			want := writtenNames()
			for how, rows := range map[string][]namedRow{"live": live, "recorded": writes[namedRow](t, string(view))} {
				if got := paths(rows); !slices.Equal(got, want) {
					t.Errorf("%s:\n%q\nwant\n%q", how, got, want)
				}
			}
			if got := paths(writes[namedRow](t, r.read(t, "path.jsonl"))); !slices.Equal(got, []string{"/mnt/mine"}) {
				t.Errorf("--path shows %q: another file has the number now", got)
			}
			if got := paths(writes[namedRow](t, r.read(t, "unseen.jsonl"))); !slices.Equal(got, []string{"[8:0]/in/unseen"}) {
				t.Errorf("on a file system that is not mounted here: %q", got)
			}
			r.laterMounts(t)
			r.marked(t)
		})
	}
}

func namesGuest(t *testing.T, spec string) *result {
	t.Helper()
	r := &result{dir: t.TempDir()}
	args := []string{"--disk", "64M", "--module", "overlay", "--module", "loop", "--share", namesShare(t), "--out", r.dir}
	for _, name := range []string{"dd", "mkfs.ext4", "mount", "umount", "mountpoint", "losetup", "mkdir", "mv", "rm", "ln", "ls", "sync", "unshare"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--bin", file)
	}
	_, stderr, status := guest(t, spec, append(args, "--", "exec", "--", "sh", "/share/names.sh")...)
	if status != 0 {
		t.Fatalf("the guest ended with %d:\n%s", status, stderr)
	}
	for _, step := range []string{"record", "live", "path", "unseen", "marks"} {
		if got := r.status(t, step); got != 0 {
			t.Errorf("%s ended with %d:\n%s", step, got, r.read(t, step+".err"))
		}
	}
	return r
}

// namesShare is a folder of the guest with what runs there.
func namesShare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/names")); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../scripts/fstests-section.sh")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "fstests-section.sh"), script, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// marked: each test of a run has the writes that began behind its line in the kernel's log, and
// what is marked by hand those behind the command; one without writes has a line, too.
func (r *result) marked(t *testing.T) {
	t.Helper()
	text := r.read(t, "marks.txt")
	var got []string
	for _, m := range markLine.FindAllStringSubmatch(text, -1) {
		got = append(got, m[1]+": "+m[2])
	}
	if want := []string{"(no mark): 2", "ext4/001: 2", "ext4/002: 0", "ext4/003: 1", "by hand: 3"}; !slices.Equal(got, want) {
		t.Errorf("writes by mark %q, want %q:\n%s%s", got, want, text, r.read(t, "marks.err"))
	}
}

// markLine is a line of coverage --by mark.
var markLine = regexp.MustCompile(`(?m)^(\S.*?) +(\d+)( +\d+){7}$`)

// sameNumber makes sure that the guest tried what is hard: files of the same number.
func (r *result) sameNumber(t *testing.T, rows []namedRow) {
	t.Helper()
	if len(rows) < 5 {
		t.Fatalf("%d rows", len(rows))
	}
	generations := map[uint32]bool{}
	for _, row := range rows[:5] {
		if row.Ino != rows[0].Ino || row.Generation == nil {
			t.Fatalf("the first five writes are not to one inode number: %+v", rows[:5])
		}
		generations[*row.Generation] = true
	}
	if len(generations) != 3 {
		t.Errorf("%d generations of %d, want 3", len(generations), rows[0].Ino)
	}
}

func paths(rows []namedRow) (out []string) {
	for _, row := range rows {
		out = append(out, row.Path)
	}
	return out
}

// laterMounts: a report has the facts of each file system that was written to, and says
// which of them were mounted while it was traced.
func (r *result) laterMounts(t *testing.T) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "report")
	if out, err := exec.Command(program(t), "report", filepath.Join(r.dir, "names.e4d"), "-o", dir).CombinedOutput(); err != nil {
		t.Fatalf("report: %v\n%s", err, out)
	}
	text := (&result{dir: dir}).read(t, "report.txt")
	first, later := 0, 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "ext4 on 8:0: ") {
			continue
		}
		if !strings.Contains(line, "blocks of 1024 bytes") || !strings.Contains(line, "features ") || !strings.Contains(line, "extent") {
			t.Errorf("without facts: %s", line)
		}
		if strings.Contains(line, "mounted while it was traced") {
			later++
		} else {
			first++
		}
	}
	if first != 1 || later != 2 {
		t.Errorf("%d file systems of before and %d of later, want 1 and 2:\n%s", first, later, head(text, 60))
	}
}
