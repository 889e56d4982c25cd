package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// traceFormat is no form of rows: the records are copied, and judged by nobody.
var traceFormat = export.Format{Name: "e4d", Help: "the trace once more, in one file, for --redact", To: export.ToFile}

// copyTrace writes all of a recording to out, without names where redact takes them out. A
// recording of which something is missing has no end mark in the copy, either.
func copyTrace(ctx context.Context, in *tracefile.Recording, out io.Writer, redact tracefile.Redactor) (writes uint64, err error) {
	info := *in.Info()
	id := sha256.Sum256([]byte("copy of " + info.ID)) // it is no part of the recording
	info.ID, info.Part = hex.EncodeToString(id[:16]), 0
	w, err := tracefile.NewRedactedWriter(out, &info, redact)
	if err != nil {
		return 0, err
	}
	c := traceCopy{in: in, w: w, place: -1, named: map[record.NameID]bool{}}
	if err := c.all(ctx); err != nil {
		return 0, err
	}
	if later := in.Info().FileSystems[len(info.FileSystems):]; len(later) > 0 { // a pipe tells them at their place
		if err := w.Mounts(later); err != nil {
			return 0, err
		}
	}
	l, err := replay.Losses(in)
	if err != nil {
		return 0, err
	}
	if in.Missing() != nil {
		return c.writes, w.Mark(&l)
	}
	return c.writes, w.Close(&l)
}

type traceCopy struct {
	in     *tracefile.Recording
	w      *tracefile.Writer
	place  int
	losses record.Losses
	named  map[record.NameID]bool
	marked int // marks that are copied
	writes uint64
}

// all copies the records and the names of their files.
func (c *traceCopy) all(ctx context.Context) error {
	for {
		raw, err := c.in.Next()
		if err := c.marks(); err != nil {
			return err
		}
		switch {
		case errors.Is(err, record.ErrEnd):
			return nil
		case err != nil:
			return fmt.Errorf("read trace: %w", err)
		}
		if now := c.in.Place(); now != c.place {
			if c.place = now; ctx.Err() != nil {
				return fmt.Errorf("%w before all of the trace was copied", replay.ErrInterrupted)
			}
			if c.losses, err = replay.Losses(c.in); err != nil {
				return err
			}
		}
		c.name(raw)
		if kind, _, _ := record.KindOf(raw); kind == record.KindWrite {
			c.writes++
		}
		if err := c.w.Append(raw, &c.losses); err != nil {
			return err
		}
	}
}

// marks copies the marks that are known and not copied yet.
func (c *traceCopy) marks() error {
	more := c.in.Marks().From(c.marked)
	c.marked += len(more)
	return c.w.PutMarks(more)
}

// name tells the path through which the file of a write was opened, once.
func (c *traceCopy) name(raw []byte) {
	id, ok := record.FileOf(raw)
	if !ok || c.named[id] {
		return
	}
	c.named[id] = true
	if path := c.in.Path(id); path != "" {
		c.w.Name(id, path)
	}
}
