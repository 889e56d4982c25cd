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
	groups []group
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
	g := group{rows: w.rows}
	for _, c := range w.shred.columns {
		ch, err := w.chunk(c)
		if err != nil {
			return err
		}
		g.chunks = append(g.chunks, ch)
		c.reset()
	}
	w.groups, w.rows = append(w.groups, g), 0
	return nil
}

// chunk writes the values of a column: its dictionary, if it has one, and one page.
func (w *Writer) chunk(c *column) (chunk, error) {
	ch := chunk{values: int64(len(c.defs)), stats: c.statistics()}
	if c.typ == byteArray {
		ch.dictAt = w.at
		w.plain = c.dictionary(w.plain[:0])
		if err := w.page(&ch, dictionaryPage, len(c.texts), plain); err != nil {
			return ch, err
		}
	}
	ch.dataAt = w.at
	w.plain = c.page(w.plain[:0])
	encoding := int32(plain)
	if c.typ == byteArray {
		encoding = rleDictionary
	}
	return ch, w.page(&ch, dataPage, len(c.defs), encoding)
}

// page packs and writes the page in w.plain.
func (w *Writer) page(ch *chunk, typ int32, values int, encoding int32) error {
	w.packed = w.zip.EncodeAll(w.plain, w.packed[:0])
	t := &thrift{}
	t.open(0)
	t.i32(1, typ)
	t.i32(2, int32(len(w.plain)))
	t.i32(3, int32(len(w.packed)))
	if typ == dictionaryPage {
		t.open(7)
		t.i32(1, int32(values))
		t.i32(2, encoding)
	} else {
		t.open(5)
		t.i32(1, int32(values))
		t.i32(2, encoding)
		t.i32(3, rle) // of the levels
		t.i32(4, rle)
	}
	t.close()
	t.close()
	ch.plain += int64(len(t.b) + len(w.plain))
	ch.packed += int64(len(t.b) + len(w.packed))
	if err := w.put(t.b); err != nil {
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
