package kernelvm

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

func TestErrorsNameAFullDisk(t *testing.T) {
	var unfit *hint.UnfitError
	err := unfitf("some hint", "write the cache: %w", unix.ENOSPC)
	if !errors.As(err, &unfit) || !strings.Contains(unfit.Hint, "free some disk space") || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %#v", err)
	}
}
