package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A run of fstests that failed ends with its status when nothing is wrong with the writes, and with that of the
// recording or of check else.
func TestFstestsSection(t *testing.T) {
	script, err := filepath.Abs("../../scripts/fstests-section.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		record, check, fstests string // statuses
		want                   int
	}{
		{"0", "0", "0", 0}, {"0", "0", "1", 1}, {"4", "0", "7", 7}, {"0", "4", "1", 4}, {"0", "1", "0", 1}, {"3", "0", "0", 3},
	} {
		dir := t.TempDir()
		const program = `#!/bin/sh
case $1 in
record) while [ "$1" != -- ]; do shift; done; shift; "$@"; exit $RECORD ;;
check) exit $CHECK ;;
esac
`
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "ext4dio-trace"), []byte(program), 0o755),
			os.WriteFile(filepath.Join(dir, "check"), []byte("[ \"$1 $2\" = \"-g two words\" ] || exit 99\nexit $FSTESTS\n"), 0o755)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", script, "run.e4d", "sh", "./check", "-g", "two words")
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "RECORD=" + tt.record, "CHECK=" + tt.check, "FSTESTS=" + tt.fstests}
		out, _ := cmd.CombinedOutput() // its status is looked at
		if got := cmd.ProcessState.ExitCode(); got != tt.want || len(out) > 0 {
			t.Errorf("%+v: status %d\n%s", tt, got, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "run.e4d.status")); err == nil {
			t.Errorf("%+v: run.e4d.status is left", tt)
		}
	}
}
