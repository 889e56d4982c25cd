package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/xfsio"
	"github.com/ext4dio/ext4dio-trace/record"
	reports "github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// realRecords are the raw records of a trace of a real kernel.
func realRecords(t testing.TB) [][]byte {
	t.Helper()
	in, err := tracefile.Open("../../testdata/traces/linux-7.3.e4d")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out [][]byte
	for {
		raw, err := in.Next()
		if err != nil {
			return out
		}
		out = append(out, bytes.Clone(raw))
	}
}

// TestExportOdd: records in which anything may stand go through every writer, and what
// comes out can still be read.
func TestExportOdd(t *testing.T) {
	dir := t.TempDir()
	var lines, script bytes.Buffer
	p := &reports.Report{Title: "odd"}
	var writers []export.Writer
	for _, f := range exportFormats {
		target := export.Target{Out: io.Discard, Create: func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }}
		switch f.Name {
		case export.JSONLFormat.Name:
			target.Out = &lines
		case xfsio.Format.Name:
			target.Out = &script
		}
		if f.New != nil {
			writers = append(writers, f.New(target))
		}
	}
	var row export.Row
	var maker export.Maker
	judge := judge.New(judge.Options{Seen: func(o *observe.Observation, v *judge.Verdict) {
		maker.Fill(&row, o, v)
		for _, w := range writers {
			if err := w.Write(&row); err != nil {
				t.Fatal(err)
			}
		}
		p.Add(&row)
	}})
	rng := rand.New(rand.NewPCG(7, 8))
	records := realRecords(t)
	for range 30 {
		for _, raw := range records {
			b := bytes.Clone(raw)
			for range rng.IntN(6) {
				i := 4 + rng.IntN(len(b)-4) // kind and size stay
				b[i] = [...]byte{0, 0xff, 0x7f, 0x80, byte(rng.Uint32())}[rng.IntN(5)]
			}
			_ = judge.Feed(b) // what cannot be parsed is counted
		}
	}
	judge.Flush()
	for _, w := range writers {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.WriteHTML(io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteText(io.Discard); err != nil {
		t.Fatal(err)
	}
	if p.Summary.Totals.Writes < 1000 {
		t.Errorf("only %d writes", p.Summary.Totals.Writes)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(lines.Bytes()), []byte("\n")) {
		if !json.Valid(line) {
			t.Fatalf("no JSON: %s", line)
		}
	}
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, script.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/bin/sh", "-n", file).CombinedOutput(); err != nil {
		t.Errorf("sh -n: %v\n%s", err, out)
	}
}

// BenchmarkExport exports the writes of a trace of a real kernel, many times over and
// one after the other, from memory; judging is part of it.
func BenchmarkExport(b *testing.B) {
	const rounds, span = 100, 10e9
	var data bytes.Buffer
	w, err := tracefile.NewWriter(&data, &tracefile.Info{Release: "7.3.4", Facts: []byte("{}"), Plan: []byte("{}")})
	if err != nil {
		b.Fatal(err)
	}
	records := realRecords(b)
	var rec record.Write
	for i := range uint64(rounds) {
		for _, raw := range records {
			if record.ParseWrite(raw, &rec) != nil {
				continue // a completion
			}
			rec.T0, rec.ID = rec.T0+i*span, rec.ID+i<<20
			if err := w.Append(rec.Append(nil), &record.Losses{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(&record.Losses{}); err != nil {
		b.Fatal(err)
	}
	writes := uint64(0)
	for b.Loop() {
		r, err := tracefile.NewReader(bytes.NewReader(data.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		f := exportFlags{format: "jsonl", variant: "linux-7.3"}
		if err := f.choose.resolve(r.Info()); err != nil {
			b.Fatal(err)
		}
		_, n, err := f.pump(b.Context(), tracefile.NewRecording(r), *kernel73(), export.NewJSONL(io.Discard, export.StartLine{}))
		if err != nil {
			b.Fatal(err)
		}
		writes += n
	}
	b.ReportMetric(float64(writes)/b.Elapsed().Seconds(), "writes/s")
}
