package kernelvm

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// decompress reads what a file name's extension says.
func decompress(ext string, r io.Reader) (io.ReadCloser, error) {
	switch ext {
	case ".xz":
		z, err := xz.NewReader(r)
		return io.NopCloser(z), err
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case ".gz":
		return gzip.NewReader(r)
	default:
		return io.NopCloser(r), nil
	}
}

// keptModules are the folders below a kernel's modules that a guest may need
// something of.
var keptModules = []string{
	"arch/", "block/", "crypto/", "fs/", "kernel/", "lib/", "mm/", "net/sunrpc/", "net/9p/",
	"drivers/ata/", "drivers/block/", "drivers/char/", "drivers/dax/", "drivers/md/",
	"drivers/nvdimm/", "drivers/nvme/", "drivers/scsi/", "drivers/virtio/",
}

// debTarget says where a package's file goes in the cache, "" for nowhere.
func debTarget(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	name = strings.TrimPrefix(name, "usr/")
	if rest, ok := strings.CutPrefix(name, "boot/"); ok {
		for _, kind := range []string{"vmlinuz", "config", "System.map"} {
			if strings.HasPrefix(rest, kind+"-") {
				return kind
			}
		}
		return ""
	}
	rest, ok := strings.CutPrefix(name, "lib/modules/")
	if !ok {
		return ""
	}
	_, rest, ok = strings.Cut(rest, "/") // the kernel's release
	if !ok {
		return ""
	}
	switch rest {
	case "vmlinuz", "config", "System.map":
		return rest
	case "modules.builtin", "modules.order":
		return "modules/" + rest
	}
	if in, ok := strings.CutPrefix(rest, "kernel/"); ok {
		for _, dir := range keptModules {
			if strings.HasPrefix(in, dir) {
				return "modules/" + rest
			}
		}
	}
	return ""
}

// unpackDeb takes what a guest needs out of a kernel's package into dir.
func unpackDeb(file, dir string) error {
	data, err := pipe(nil, "dpkg-deb", "--fsys-tarfile", "--", file)
	if errors.Is(err, fs.ErrNotExist) {
		return unfitf("install dpkg, or give a bzImage to --kernel", "unpack %s: %w", filepath.Base(file), err)
	}
	if err == nil {
		defer data.Close()
		err = unpackTar(data, dir)
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
	}
	return nil
}

// unpackTar takes the same out of the package's files.
func unpackTar(data io.Reader, dir string) error {
	for tr := tar.NewReader(data); ; {
		hdr, err := tr.Next()
		if err == io.EOF {
			// The end of the archive is not yet that of the program, which may still fail.
			_, err = io.Copy(io.Discard, data)
			return err
		}
		if err != nil {
			return err
		}
		to := debTarget(hdr.Name)
		if to == "" || hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(filepath.Join(dir, to), tr); err != nil {
			return err
		}
	}
}

// writeFile writes a new file and the folders above it.
func writeFile(file string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
