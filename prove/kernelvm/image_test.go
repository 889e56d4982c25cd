package kernelvm

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

func TestCheckBzImage(t *testing.T) {
	dir := t.TempDir()
	if err := checkBzImage(write(t, dir, "good", makeKernel(nil))); err != nil {
		t.Error(err)
	}
	var unfit *hint.UnfitError
	for _, file := range []string{write(t, dir, "short", "HdrS"), filepath.Join(dir, "none"), dir} {
		if err := checkBzImage(file); !errors.As(err, &unfit) || unfit.Status != exit.NoKernel {
			t.Errorf("%s: %v", file, err)
		}
	}
}
