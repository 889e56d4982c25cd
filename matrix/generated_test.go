package matrix

import (
	"strings"
	"testing"
)

// TestGenerated: generated writes find nothing wrong on a kernel that is right, and
// the oracles that should see it do on one that is not.
func TestGenerated(t *testing.T) {
	need(t)
	for _, k := range []struct {
		name   string
		status int
	}{{"series-patch5", 0}, {"series-base", 0}, {"wrong-tail-unchecked", 1}, {"wrong-nowait-allocates", 1}} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--", "validate", "--dir", "/mnt", "--scenarios", "block1k*", "--writes", "1000", "--seed", "7"}
			if k.status == 1 {
				args = append(args, "--variant", "linux-7.3")
			}
			out, stderr, status := guest(t, image(t, k.name), args...)
			if status != k.status {
				t.Fatalf("validate ended with %d, want %d:\n%s\n%s", status, k.status, out, stderr)
			}
			for _, oracle := range []string{"observed (", "known (", "bytes ("} {
				i := strings.Index(out, oracle)
				if i < 0 {
					t.Fatalf("no %q in the report:\n%s", oracle, out)
				}
				line, _, _ := strings.Cut(out[i:], "\n")
				right := strings.Contains(line, " 0 wrong, ")
				if want := k.status == 0 || oracle == "bytes ("; right != want {
					t.Errorf("%s: %s", k.name, line)
				}
			}
		})
	}
}
