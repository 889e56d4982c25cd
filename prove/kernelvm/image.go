package kernelvm

import (
	"errors"
	"io/fs"
	"os"
)

// checkBzImage tells whether file is an x86 kernel image by the setup header's
// magic (Documentation/arch/x86/boot.rst).
func checkBzImage(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return noKernelf("give debian:SUITE[/FLAVOUR], a bzImage or a .deb to --kernel", "kernel %s is not there", file)
	}
	if err != nil {
		return noKernelf("", "open kernel: %w", err)
	}
	defer f.Close()
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0x202); err != nil || string(magic[:]) != "HdrS" {
		return noKernelf("give debian:SUITE[/FLAVOUR], a bzImage (arch/x86/boot/bzImage) or a .deb to --kernel", "%s is not a bzImage", file)
	}
	return nil
}
