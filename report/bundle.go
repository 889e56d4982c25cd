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

// Put makes one file of a report, of size bytes.
type Put func(name string, size int64, from io.Reader) error

// WriteFiles puts the report in both forms, a script that repeats each kind of
// disagreement, the attachments, and at last the checksums of all.
func (p *Report) WriteFiles(put Put, extra ...Attachment) error {
	var html, text, sums bytes.Buffer
	v, err := p.page()
	if err := errors.Join(err, p.WriteHTML(&html), p.WriteText(&text)); err != nil {
		return err
	}
	add := func(name string, size int64, from io.Reader) error {
		h := sha256.New()
		err := put(name, size, io.TeeReader(from, h))
		fmt.Fprintf(&sums, "%x  %s\n", h.Sum(nil), name)
		return err
	}
	if err := errors.Join(add("report.html", int64(html.Len()), &html), add("report.txt", int64(text.Len()), &text)); err != nil {
		return err
	}
	for i, c := range v.Cases {
		if err := add(fmt.Sprintf("repeat-%d.sh", i+1), int64(len(c.Reproducer)), strings.NewReader(c.Reproducer)); err != nil {
			return err
		}
	}
	for _, a := range extra {
		if err := a.add(add); err != nil {
			return fmt.Errorf("attach %s: %w", a.Name, err)
		}
	}
	return put("SHA256SUMS", int64(sums.Len()), &sums)
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
	return put(a.Name, st.Size(), io.LimitReader(in, st.Size()))
}

// WriteBundle writes the same files as one packed archive (.tar.zst), in a folder.
func (p *Report) WriteBundle(out io.Writer, folder string, extra ...Attachment) error {
	zip, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("make compressor: %w", err)
	}
	archive := tar.NewWriter(zip)
	err = p.WriteFiles(func(name string, size int64, from io.Reader) error {
		h := tar.Header{Name: folder + "/" + name, Mode: 0o644, Size: size, Format: tar.FormatPAX}
		if err := archive.WriteHeader(&h); err != nil {
			return err
		}
		_, err := io.Copy(archive, from)
		return err
	}, extra...)
	if err := errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}
