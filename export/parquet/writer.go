package parquet

import (
	"fmt"
	"io"

	pq "github.com/parquet-go/parquet-go"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Bounds of what is held in memory.
const (
	batchRows = 512
	groupRows = 32 << 10 // rows in one row group
)

// Writer writes rows into a Parquet file. It is an export.Writer.
type Writer struct {
	out  *pq.GenericWriter[row]
	fill filler
	rows []row
}

var _ export.Writer = (*Writer)(nil)

// New returns a Writer in front of out. The pairs of about are kept in the file's
// metadata, such as the release of the kernel.
func New(out io.Writer, about map[string]string) *Writer {
	options := []pq.WriterOption{pq.Compression(&pq.Zstd), pq.MaxRowsPerRowGroup(groupRows), pq.CreatedBy("ext4dio-trace", "", "")}
	for k, v := range about {
		options = append(options, pq.KeyValueMetadata(k, export.Safe(v)))
	}
	return &Writer{
		out: pq.NewGenericWriter[row](out, options...), rows: make([]row, 0, batchRows),
		fill: filler{names: make(map[flagSet][]string), safe: make(map[string]*string)},
	}
}

// Write takes one row.
func (w *Writer) Write(r *export.Row) error {
	w.rows = w.rows[:len(w.rows)+1]
	w.fill.row(&w.rows[len(w.rows)-1], r)
	if len(w.rows) < batchRows {
		return nil
	}
	return w.flush()
}

func (w *Writer) flush() error {
	_, err := w.out.Write(w.rows)
	w.rows = w.rows[:0]
	w.fill.reset()
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

// Close writes the rest and the end of the file.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.out.Close(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}
