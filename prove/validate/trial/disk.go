package trial

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// ErrDisk is wrapped by the error of a run that the disk cut short.
var ErrDisk = errors.New("the disk failed")

// diskErrors are what the block layer makes of a disk that fails (blk_errors in
// block/blk-core.c), and what ext4 returns after it met one.
var diskErrors = []error{
	unix.EIO, unix.ENODEV, unix.ENXIO, unix.ENODATA, unix.ENOLINK, unix.EREMOTEIO, unix.ETIMEDOUT,
	unix.EILSEQ, unix.EBADE, unix.EROFS, unix.ESHUTDOWN, unix.EUCLEAN,
}

// IsDisk reports whether an error is one that the disk can have caused. Neither the bytes of
// a file nor what e2fsck says tells anything about the kernel then.
func IsDisk(err error) bool {
	return errors.Is(err, ErrDisk) ||
		slices.ContainsFunc(diskErrors, func(is error) bool { return errors.Is(err, is) })
}

// DiskError is the error with which a run ends when the result of a write is one of the
// disk's, else nil.
func DiskError(result error) error {
	if !IsDisk(result) {
		return nil
	}
	return fmt.Errorf("%w: a write ended with %w", ErrDisk, result)
}
