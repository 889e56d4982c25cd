package matrix

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestRefused: a direct write that ext4 sends through the page cache as a whole is
// decided, too: the record says what ext4 looked at. Each line is then explained on
// the host, with the same verdict.
func TestRefused(t *testing.T) {
	need(t)
	t.Parallel()
	for _, kernel := range []string{"debian-6.1", "series-patch5"} {
		for _, why := range []struct {
			name, mkfs, reason string
			refused            int
		}{
			{"inline", "-O inline_data -I 256", "no direct I/O: inline data", 1},
			{"journal", "", "no direct I/O: journalled data", 3},
		} {
			t.Run(kernel+"/"+why.name, func(t *testing.T) {
				t.Parallel()
				spec := kernelSpec(t, kernel)
				out, stderr, status := guest(t, spec, "--share", "testdata", "--bin", "dd", "--bin", "mount", "--bin", "umount",
					"--mkfs", why.mkfs, "--", "live", "--json", "--", "sh", "/share/refused.sh", why.name)
				if status != 0 {
					t.Fatalf("live ended with %d:\n%s\n%s", status, out, stderr)
				}
				refused := 0
				type row struct {
					Seq           uint64
					Lock, Verdict string
					Why           []string
				}
				for _, w := range writes[row](t, out) {
					if w.Verdict != "agree" || len(w.Why) != 1 {
						t.Errorf("not judged as it should be: %+v of\n%s", w, out)
						continue
					}
					if w.Lock == "none" && w.Why[0] == why.reason {
						refused++
					}
				}
				if refused != why.refused {
					t.Errorf("%d writes refused for %q, want %d:\n%s", refused, why.reason, why.refused, out)
				}
				explained(t, out)
			})
		}
	}
}

// explained pipes lines of JSON into explain and wants agreement in each.
func explained(t *testing.T, lines string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "explain")
	cmd.Stdin = strings.NewReader(lines)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("explain: %v\n%s", err, errs.String())
	}
	if got, want := strings.Count(out.String(), ": agree\n"), len(writes[struct{}](t, lines)); got != want {
		t.Errorf("explain agrees with %d of %d lines:\n%s", got, want, out.String())
	}
}
