package report

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Attachment is a file that goes with a report as it is.
type Attachment struct{ Name, Path string }

// Put makes one file of a report. Its size is -1 when it is not known before.
type Put func(name string, size int64, write func(io.Writer) error) error

// WriteFiles puts the report in both forms, a script that repeats each kind of
// disagreement, the attachments, and at last the checksums of all.
func (p *Report) WriteFiles(put Put, extra ...Attachment) error {
	var sums strings.Builder
	add := func(name string, size int64, write func(io.Writer) error) error {
		h := sha256.New()
		err := put(name, size, func(w io.Writer) error { return write(io.MultiWriter(w, h)) })
		fmt.Fprintf(&sums, "%x  %s\n", h.Sum(nil), name)
		return err
	}
	v, err := p.page()
	if err := errors.Join(err, add("report.html", -1, p.WriteHTML), add("report.txt", -1, p.WriteText)); err != nil {
		return err
	}
	for i, c := range v.Cases {
		if err := add(fmt.Sprintf("repeat-%d.sh", i+1), int64(len(c.Reproducer)), textOf(c.Reproducer)); err != nil {
			return err
		}
	}
	for _, a := range extra {
		if err := a.add(add); err != nil {
			return fmt.Errorf("attach %s: %w", a.Name, err)
		}
	}
	return put("SHA256SUMS", int64(sums.Len()), textOf(sums.String()))
}

func textOf(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// add puts a copy of the file, as long as it is now.
func (a Attachment) add(put Put) error {
	in, err := os.Open(a.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	return put(a.Name, st.Size(), func(w io.Writer) error {
		_, err := io.CopyN(w, in, st.Size())
		return err
	})
}

// WriteBundle writes the same files as one packed archive (.tar.zst), in a folder.
func (p *Report) WriteBundle(out io.Writer, folder string, extra ...Attachment) error {
	zip, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("make compressor: %w", err)
	}
	archive := tar.NewWriter(zip)
	err = p.WriteFiles(func(name string, size int64, write func(io.Writer) error) error {
		if size < 0 { // a header tells it before
			var b bytes.Buffer
			if err := write(&b); err != nil {
				return err
			}
			size, write = int64(b.Len()), textOf(b.String())
		}
		h := tar.Header{Name: folder + "/" + name, Mode: 0o644, Size: size, Format: tar.FormatPAX}
		if err := archive.WriteHeader(&h); err != nil {
			return err
		}
		return write(archive)
	}, extra...)
	if err := errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}
