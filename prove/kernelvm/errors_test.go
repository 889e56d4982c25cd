package kernelvm

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestErrorsNameAFullDisk(t *testing.T) {
	var unfit *UnfitError
	err := unfitf("some hint", "write the cache: %w", unix.ENOSPC)
	if !errors.As(err, &unfit) || !strings.Contains(unfit.Hint, "free some disk space") || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %#v", err)
	}
}
