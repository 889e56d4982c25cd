package xfsio

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A script says with its name why it cannot do its work and what to type, and leaves nothing behind then. The error
// that a write may get is not told, another one is.
func TestPrologue(t *testing.T) {
	const (
		begin = `f=e4d-1; new "$f"; : >"$f" || exit 3` + "\n"
		write = `xfs_io -d -c "pwrite -N 0 4k" "$f" || :`
	)
	for _, tt := range []struct {
		name, body, xfsIO, fs string // xfsIO: what it does
		there, noFolder       bool
		status                int
		want                  string // of stderr; T is the folder
		left                  bool   // the file is there
	}{
		{name: "all well", body: "must " + Line("", `"$f"`, Sync), left: true},
		{name: "tmpfs", fs: "tmpfs", status: 3, want: "901.sh: not made: needs ext4, and T is on tmpfs\n"},
		{name: "twice", there: true, status: 2, want: "901.sh: T/e4d-1 is there already; to run it again: rm T/e4d-1\n", left: true},
		{name: "no folder", noFolder: true, status: 2, want: "901.sh: the folder to write in is missing; run: sh 901.sh FOLDER\n"},
		{
			name: "no chattr", body: `must chattr -e "$f"`, status: 3,
			want: "901.sh: not made: chattr is missing (xfs_io is in package xfsprogs, chattr in e2fsprogs)\n901.sh: ends with status 3, without the files that it made\n",
		},
		{
			name: "disk full", body: "must " + Line("", `"$f"`, Sync), xfsIO: "echo pwrite: No space left on device >&2; exit 1", status: 3,
			want: "pwrite: No space left on device\n901.sh: cannot lay out: xfs_io -c fsync e4d-1\n901.sh: ends with status 3, without the files that it made\n",
		},
		{name: "refused", body: write, xfsIO: "echo pwrite: Resource temporarily unavailable >&2; exit 1", left: true},
		{
			name: "refused again and again", body: `for try in 1 2; do xfs_io "$f" && break; done || :`,
			xfsIO: "echo pwrite: Resource temporarily unavailable >&2; exit 1", left: true,
		},
		{name: "refused with another error", body: write, xfsIO: "echo pwrite: Input/output error >&2; exit 1", want: "901.sh: a write that may be refused: pwrite: Input/output error\n", left: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			bin, folder := filepath.Join(dir, "bin"), filepath.Join(dir, "work")
			put := func(path, text string) {
				t.Helper()
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
					t.Fatal(err)
				}
			}
			fs := tt.fs
			if fs == "" {
				fs = "ext2/ext3"
			}
			for name, does := range map[string]string{"xfs_io": tt.xfsIO, "stat": "echo " + fs, "touch": "", "chmod": ""} {
				put(filepath.Join(bin, name), "#!/bin/sh\n"+does+"\n")
			}
			rm, err := exec.LookPath("rm")
			if err := errors.Join(err, os.Symlink(rm, filepath.Join(bin, "rm")), os.Mkdir(folder, 0o755)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "e4d-1")
			if tt.there {
				put(file, "")
			}
			put(filepath.Join(dir, "901.sh"), Prologue+begin+May(tt.body)+"\nexit 0\n")
			cmd := exec.Command("/bin/sh", "901.sh")
			if !tt.noFolder {
				cmd.Args = append(cmd.Args, folder)
			}
			cmd.Dir, cmd.Env = dir, []string{"PATH=" + bin}
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			_ = cmd.Run() // its status is looked at
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			if got := strings.ReplaceAll(said.String(), folder, "T"); got != tt.want {
				t.Errorf("it says\n%swant\n%s", got, tt.want)
			}
			if _, err := os.Stat(file); (err == nil) != tt.left {
				t.Errorf("its file: %v, want it there: %v", err, tt.left)
			}
		})
	}
}
