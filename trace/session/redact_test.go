package session

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// TestRecordRedacted: what is recorded redacted holds no name, in no part of it and not in
// what is packed; the parts are one recording, with the same tokens.
func TestRecordRedacted(t *testing.T) {
	for _, redacted := range []bool{true, false} {
		name := filepath.Join(t.TempDir(), "r.e4d")
		o := RecorderOptions{Path: name, MaxSize: 64 << 10, Rotate: 2, HostName: true, Command: []string{"ext4dio-trace", "--path", "/secret/place"}}
		o.Marks = &Marks{}
		if _, err := o.Marks.Take("the secret test"); err != nil {
			t.Fatal(err)
		}
		r := redact.New()
		if redacted {
			o.Redact = r
		}
		out := newTestRecorder(t, o)
		out.names.names.mounts.add(ext4fs.ParseTable(onMnt), 0)
		id, path, ok := out.names.names.Learn(nameRecord(14, 1, 10, 0, "file/secret/"))
		if !ok {
			t.Fatal("the name was not learned")
		}
		w := tracetest.SharedWrite(0)
		w.Generation, w.Name = id.Generation, id.Name
		if _, err := recordFrom(t, out, &manySource{n: 120000, w: w}); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(name + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("%v files, %v", files, err)
		}
		left := 0
		for _, file := range files {
			packed, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			z, err := zstd.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := z.WriteTo(&text); err != nil {
				t.Fatal(err)
			}
			z.Close()
			for _, name := range []string{"fio", "secret", "place"} {
				if bytes.Contains(append(packed, text.Bytes()...), []byte(name)) {
					if left++; redacted {
						t.Errorf("%s has %q in it", file, name)
					}
				}
			}
		}
		if !redacted && left < 3*len(files) {
			t.Errorf("without redaction only %d names are in %d files", left, len(files))
		}
		_, in := replayed(t, files...)
		if host := in.Info().Host; strings.HasPrefix(host, "host-") != redacted {
			t.Errorf("redacted: %v, and the host is %q", redacted, host)
		}
		if got := in.Path(id); redacted && got != r.Name(path) {
			t.Errorf("the path is %q", got)
		}
	}
}
