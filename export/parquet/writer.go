package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/export"
)

// groupRows is the number of rows that are held in memory, and stand in one row group.
const groupRows = 32 << 10

const magic = "PAR1"

// Writer writes rows into a Parquet file. It is an export.Writer.
type Writer struct {
	out    io.Writer
	at     int64 // bytes written
	zip    *zstd.Encoder
	about  map[string]string
	shred  *shredder
	groups []rowGroup
	rows   int64 // in the columns

	plain, packed []byte
}

// Format is the format of Writer.
var Format = export.Format{
	Name: "parquet", Help: "typed columns, for DuckDB, ClickHouse and the like", To: export.ToFile,
	New: func(t export.Target) export.Writer { return New(t.Out, t.Pairs) },
}

// New returns a Writer in front of out. The pairs of about are kept in the file's
// metadata, such as the release of the kernel.
func New(out io.Writer, about map[string]string) *Writer {
	// There is no error with these options.
	zip, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	w := &Writer{out: out, zip: zip, about: make(map[string]string), shred: newShredder(export.Fields.About())}
	for k, v := range about {
		w.about[k] = export.Safe(v)
	}
	return w
}

// Write takes one row.
func (w *Writer) Write(r *export.Row) error {
	w.shred.begin()
	export.Fields.Visit(r, w.shred)
	if w.rows++; w.rows < groupRows {
		return nil
	}
	return w.flush()
}

func (w *Writer) put(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

// begin writes what the file begins with.
func (w *Writer) begin() error {
	if w.at > 0 {
		return nil
	}
	return w.put([]byte(magic))
}

// flush writes a row group.
func (w *Writer) flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	g := rowGroup{Rows: w.rows}
	for _, c := range w.shred.columns {
		m, err := w.chunk(c)
		if err != nil {
			return err
		}
		begin := m.DataAt
		if m.DictAt > 0 {
			begin = m.DictAt
		}
		g.Columns = append(g.Columns, columnChunk{begin, m})
		g.Bytes += m.Plain
		c.reset()
	}
	w.groups, w.rows = append(w.groups, g), 0
	return nil
}

// chunk writes the values of a column: its dictionary, if it has one, and one page.
func (w *Writer) chunk(c *column) (columnMetaData, error) {
	m := columnMetaData{
		Type: c.typ, Path: c.path, Codec: codecZstd, Values: int64(len(c.defs)), Statistics: c.statistics(),
		Encodings: []int32{plain, rle},
	}
	data := dataHeader{Values: int32(len(c.defs)), Encoding: plain, DefLevels: rle, RepLevels: rle}
	if c.typ == byteArray {
		m.Encodings, data.Encoding = append(m.Encodings, rleDictionary), rleDictionary
		m.DictAt = w.at
		w.plain = c.dictionary(w.plain[:0])
		if err := w.page(&m, pageHeader{Type: dictionaryPage, Dictionary: &dictHeader{int32(len(c.texts)), plain}}); err != nil {
			return m, err
		}
	}
	m.DataAt = w.at
	w.plain = c.page(w.plain[:0])
	return m, w.page(&m, pageHeader{Type: dataPage, Data: &data})
}

// page packs and writes the page in w.plain.
func (w *Writer) page(m *columnMetaData, h pageHeader) error {
	w.packed = w.zip.EncodeAll(w.plain, w.packed[:0])
	h.Plain, h.Packed = int32(len(w.plain)), int32(len(w.packed))
	head := compact(&h)
	m.Plain += int64(len(head) + len(w.plain))
	m.Packed += int64(len(head) + len(w.packed))
	if err := w.put(head); err != nil {
		return err
	}
	return w.put(w.packed)
}

// Close writes the rest and the end of the file.
func (w *Writer) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	if w.rows > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	b := footer(w.shred.root, w.shred.columns, w.groups, w.about)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return w.put(append(b, magic...))
}
