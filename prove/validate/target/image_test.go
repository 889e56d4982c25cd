package target

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestImageRefusesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "thesis")
	// As large as an image, but with no marker.
	if err := os.WriteFile(mine, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(mine, imageSize+trailerSize); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte(imageMarker), 0o600); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(dir, "link")
	if err := os.Symlink(mine, linked); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{mine, short, linked, pipe, dir, filepath.Join(dir, "no", "such")} {
		_, err := imageFile(name)
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
	head := make([]byte, 13)
	f, err := os.Open(mine)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(head); err != nil || string(head) != "years of work" {
		t.Errorf("the file was changed: %q, %v", head, err)
	}
	if b, err := os.ReadFile(short); err != nil || string(b) != imageMarker {
		t.Errorf("the file was changed: %q, %v", b, err)
	}
}

func TestImageIsTakenOver(t *testing.T) {
	if free(t) < 2*imageSize {
		t.Skip("needs 1 GiB of free space")
	}
	name := filepath.Join(t.TempDir(), "image")
	first, err := imageFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := imageFile(name); err == nil || !strings.Contains(err.Error(), "in use by another run") {
		t.Errorf("a locked image: got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := imageFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dev := &Device{Disk: &Disk{}, file: again}
	if err := dev.RemoveImage(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the image is still there: %v", err)
	}
	// Somebody else's file under that name stays.
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dev.RemoveImage(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(name); err != nil {
		t.Errorf("another file was removed: %v", err)
	}
	if err := dev.Close(); err != nil {
		t.Error(err)
	}
}

func free(t *testing.T) int64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(os.TempDir(), &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// What is not the device that was inspected is not written to.
func TestClaimRefusesAnotherDevice(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sda")
	before := bytes.Repeat([]byte("data"), 1<<10)
	if err := os.WriteFile(name, before, 0o600); err != nil {
		t.Fatal(err)
	}
	// With the number that a regular file has, only its kind tells.
	for _, major := range []uint32{8, 0} {
		_, err := Claim(&Disk{Path: name, Major: major, Size: 4 << 10})
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Msg, "no longer the device") {
			t.Errorf("device %d:0: got %v", major, err)
		}
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
}
