package matrix

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestWhere: in pid namespaces, by cgroups, by paths and by filters that nothing passes the
// right writes are seen, and where none is, that and why is said.
func TestWhere(t *testing.T) {
	need(t)
	t.Parallel()
	kernels := []string{"debian-7.3"}
	if os.Getenv("EXT4DIO_FULL") != "" {
		kernels = append(kernels, "debian-6.1", "debian-6.12")
	}
	for _, name := range kernels {
		t.Run(name, func(t *testing.T) {
			w := whereGuest(t, kernelSpec(t, name))
			t.Run("namespaces", w.namespaces)
			t.Run("cgroups", w.cgroups)
			t.Run("filters", w.filters)
			t.Run("commands", w.commands)
			t.Run("paths", w.paths)
		})
	}
}

type where struct{ dir string }

func whereGuest(t *testing.T, spec string) *where {
	t.Helper()
	w := &where{t.TempDir()}
	args := []string{"--share", "testdata/where", "--out", w.dir, "--module", "overlay", "--module", "loop"}
	for _, name := range []string{"cat", "dd", "grep", "ln", "losetup", "mkdir", "mkfifo", "mount", "stat", "sync", "unshare"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--bin", file)
	}
	out, stderr, status := guest(t, spec, append(args, "--", "exec", "--", "sh", "/share/where.sh")...)
	if status != 0 {
		t.Fatalf("the guest ended with %d:\n%s\n%s", status, out, stderr)
	}
	return w
}

func (w *where) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(b))
}

// ends checks the status of a run, and that it says all of the texts.
func (w *where) ends(t *testing.T, name, status string, says ...string) {
	t.Helper()
	said := w.read(t, name+".err")
	if got := w.read(t, name+".rc"); got != status {
		t.Errorf("%s ended with %s, want %s:\n%s\n%s", name, got, status, said, w.read(t, name+".out"))
	}
	for _, text := range says {
		if !strings.Contains(said, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, said)
		}
	}
}

// whereRow is what these tests look at of a line of JSON.
type whereRow struct {
	Pid, Tid  uint32
	Comm      string
	Ino       uint64
	GlobalPid *uint32 `json:"global_pid"`
	GlobalTid *uint32 `json:"global_tid"`
	Foreign   *bool
}

// rows reads the lines of JSON of a run, which are of as many writes; 0 stands for any number.
func (w *where) rows(t *testing.T, name string, want int) (all []whereRow) {
	t.Helper()
	all = writes[whereRow](t, w.read(t, name+".out"))
	if len(all) != want && want > 0 || len(all) == 0 {
		t.Errorf("%s: %d writes, want %d:\n%s", name, len(all), want, w.read(t, name+".err"))
	}
	return all
}

// leftOut checks what a summary has of the writes that a filter refused.
func (w *where) leftOut(t *testing.T, name, filter string, want uint64) {
	t.Helper()
	var s struct {
		Seen    uint64
		LeftOut map[string]uint64 `json:"left_out"`
	}
	if err := json.Unmarshal([]byte(w.read(t, name+".json")), &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(s.LeftOut) != 1 || s.LeftOut[filter] != want {
		t.Errorf("%s: %v were left out, want %d by %s", name, s.LeftOut, want, filter)
	}
}

func (w *where) number(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(w.read(t, name))
	if err != nil {
		t.Error(err)
	}
	return n
}

// sawOnly checks that a run saw three writes, all of them to one file.
func (w *where) sawOnly(t *testing.T, name, file string) {
	t.Helper()
	ino := w.number(t, file+".ino")
	for _, r := range w.rows(t, name, 3) {
		if int(r.Ino) != ino {
			t.Errorf("%s let %+v through, want inode %d", name, r, ino)
		}
	}
}

func (w *where) namespaces(t *testing.T) {
	// As the tracer sees it, with the global number beside.
	w.ends(t, "ns-command", "0", "3 issued, 3 seen, 0 lost", "pids as in the tracer's pid namespace")
	for _, r := range w.rows(t, "ns-command", 3) {
		if !r.renumbered() {
			t.Errorf("a process of the command is shown as %+v", r)
		}
	}
	w.ends(t, "ns-bypid", "0")
	for _, r := range w.rows(t, "ns-bypid", 3) {
		if !r.renumbered() || int(r.Pid) != w.number(t, "ns-bypid.pid") {
			t.Errorf("--pid let %+v through", r)
		}
	}
	w.leftOut(t, "ns-bypid", "pid", 3)
	w.ends(t, "ns-both", "0")
	a := w.number(t, "a.ino")
	for _, r := range w.rows(t, "ns-both", 6) {
		switch inside := int(r.Ino) == a; {
		case inside && (!r.renumbered() || int(r.Pid) != w.number(t, "ns-inside.pid")):
			t.Errorf("a process inside is shown as %+v", r)
		case !inside && (int(r.Pid) != w.number(t, "ns-outside.pid") || r.GlobalPid != nil || r.Foreign == nil || !*r.Foreign):
			t.Errorf("a process outside is shown as %+v", r)
		}
	}
	w.ends(t, "ns-record", "0", "the writes of this process", "recorded 3 writes")
	w.ends(t, "ns-validate", "0")
	w.ends(t, "ns-bench", "0")
	if out := w.read(t, "ns-bench.out"); !strings.Contains(out, `"seen":20`) {
		t.Errorf("bench did not see its 20 writes:\n%s", out)
	}
	w.ends(t, "user", "3", "this is a user namespace")
}

// renumbered reports whether both numbers are there, each of its namespace: the tracer has
// the small ones.
func (r *whereRow) renumbered() bool {
	return r.GlobalPid != nil && r.GlobalTid != nil && *r.GlobalPid > r.Pid && *r.GlobalTid > r.Tid && r.Pid > 1 && r.Foreign != nil && !*r.Foreign
}

func (w *where) cgroups(t *testing.T) {
	for _, name := range []string{"cg-path", "cg-name", "cg-id"} {
		w.ends(t, name, "0", "left out: 3 by --cgroup")
		w.sawOnly(t, name, "a")
		w.leftOut(t, name, "cgroup", 3)
	}
	w.ends(t, "cg-ambiguous", "2", "2 cgroups are called so: /sys/fs/cgroup/other/inner /sys/fs/cgroup/pod/inner")
}

func (w *where) filters(t *testing.T) {
	w.ends(t, "f-pid", "4", "nothing seen yet, all that was written was left out: ", "\nNOTHING SEEN: ")
	w.ends(t, "f-dev", "4", "\nNOTHING SEEN: 3 direct writes were made and left out: 3 by --dev\nwrites:   0 issued")
	w.leftOut(t, "f-dev", "dev", 3)
	w.ends(t, "f-dev", "4", "no ext4 is mounted here from --dev 8:77 now")
	w.ends(t, "f-nobody", "2", "--pid 999999: there is no such process")
	w.ends(t, "f-folder", "2", "--dev /proc is on no ext4")
	w.ends(t, "f-others", "0", "1 seen, 0 lost", "left out: 5 of processes that the command did not start", "--all")
	w.leftOut(t, "f-others", "command", 5)
}

func (w *where) commands(t *testing.T) {
	w.ends(t, "f-failed", "4")
	w.ends(t, "f-recorded", "4")
	w.ends(t, "f-wrote", "0", "recorded 3 writes")
	const failed, none = "sh ended with exit status 7", " and made no direct write on ext4\nhint: O_DIRECT on a file below one of: findmnt -t ext4"
	for name, last := range map[string]string{"f-failed": failed + none, "f-recorded": failed + none, "f-wrote": failed} {
		if said := w.read(t, name+".err"); !strings.HasSuffix(said, last) {
			t.Errorf("%s: the last word is not %q:\n%s", name, last, said)
		}
	}
}

func (w *where) paths(t *testing.T) {
	for name, file := range map[string]string{"p-folder": "deep", "p-below": "deep", "p-overlay-file": "upper"} {
		w.ends(t, name, "0", "left out: 3 by --path")
		w.sawOnly(t, name, file)
	}
	w.ends(t, "p-overlay-folder", "0", "left out: 3 by --path")
	w.rows(t, "p-overlay-folder", 6)
	w.ends(t, "p-loop", "0", "left out: 3 by --path")
	for _, r := range w.rows(t, "p-loop", 0) {
		if int(r.Ino) != w.number(t, "image.ino") {
			t.Errorf("--path of a loop device let %+v through", r)
		}
	}
}
