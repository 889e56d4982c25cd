package kernelvm

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// openDebData finds the files of a .deb, deb(5): an ar archive that holds a tar
// archive. Closing the second result ends it.
func openDebData(r io.Reader) (*tar.Reader, io.Closer, error) {
	br := bufio.NewReaderSize(r, 1<<20)
	var magic [8]byte
	if _, err := io.ReadFull(br, magic[:]); err != nil || string(magic[:]) != "!<arch>\n" {
		return nil, nil, errors.New("not a .deb: no ar archive")
	}
	for {
		var hdr [60]byte
		if _, err := io.ReadFull(br, hdr[:]); err != nil {
			return nil, nil, fmt.Errorf("not a .deb: no data.tar: %w", err)
		}
		name := strings.TrimRight(strings.TrimSpace(string(hdr[:16])), "/")
		size, err := strconv.ParseInt(strings.TrimSpace(string(hdr[48:58])), 10, 64)
		if err != nil || size < 0 || string(hdr[58:]) != "`\n" {
			return nil, nil, errors.New("not a .deb: bad ar header")
		}
		if strings.HasPrefix(name, "data.tar") {
			data, err := decompressFast(path.Ext(name), io.LimitReader(br, size))
			if err != nil {
				return nil, nil, fmt.Errorf("open %s: %w", name, err)
			}
			return tar.NewReader(data), data, nil
		}
		if _, err := io.CopyN(io.Discard, br, size+size%2); err != nil {
			return nil, nil, fmt.Errorf("not a .deb: no data.tar: %w", err)
		}
	}
}

// decompressFast is decompress for large files: it uses the xz program where
// that is installed.
func decompressFast(ext string, r io.Reader) (io.ReadCloser, error) {
	if ext == ".xz" {
		if x, err := externalXZ(r); err == nil {
			return x, nil
		}
	}
	return decompress(ext, r)
}

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
	case ".bz2", ".lzma":
		return nil, fmt.Errorf("compression %s is not supported", ext)
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
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	tr, data, err := openDebData(f)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	defer data.Close()
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
		}
		to := debTarget(hdr.Name)
		if to == "" || hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(filepath.Join(dir, to), tr); err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
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
