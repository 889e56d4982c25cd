package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "write the golden file")

// screen has everything that is drawn in its own way.
const screen = "\x1b[1mext4dio-trace\x1b[0m  \x1b[36mvariant\x1b[39m linux-7.3\n" +
	"\x1b[7m selected  \x1b[27m \x1b[2;33mfaint\x1b[m\n" +
	"\x1b[1;31munsafe\n" + // the look goes on
	"still\x1b[22m \x1b[91;104mbright\x1b[0m \x1b[38;5;3mone of 16\x1b[38;5;208m of 256\x1b[48;2;10;60;90m direct\x1b[38:2::255:0:1mcolon\x1b[38:2:1:2:3m!\x1b[0m\n" +
	"┌──┬╮▂█▌▐░▚\n" +
	"│日本\x1b[7m語\x1b[0m│<&\">\te\u0301 e\x1b[4:3mu n\x1b[4:0m \x1b[9ms\x1b[0;3mi\x1b[0m\x1b[8mhidden\x1b[0m\n" +
	"\x1b[2J\x1b]8;;http://x\x07\x0elqk\x0f\x1b]8;;\x07 \xff\r\n"

func TestGolden(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"-theme", "auto", "-title", `a "title"`, "-cols", "60", "-rows", "9"}, strings.NewReader(screen), &out); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, out.Bytes())
	golden := filepath.Join("testdata", "screen.svg")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the picture is another one than %s: look at it, and run with -update\n%s", golden, out.Bytes())
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
}

func TestCells(t *testing.T) {
	direct := color.RGBA{1, 2, 3, 255}
	for text, want := range map[string]look{
		"\x1b[31mx":                      {Fg: ansi.Red},
		"\x1b[31;49;1;2mx":               {Fg: ansi.Red, Attrs: uv.AttrBold | uv.AttrFaint},
		"\x1b[1;2;22;3;23;4;24;9;29mx":   {},
		"\x1b[31m\x1b[mx":                {},
		"\x1b[38;5;1;48;2;1;2;3mx":       {Fg: ansi.IndexedColor(1), Bg: direct},
		"\x1b[38:5:1m\x1b[48:2::1:2:3mx": {Fg: ansi.IndexedColor(1), Bg: direct},
		"\x1b[48:2:1:2:3;1mx":            {Bg: direct, Attrs: uv.AttrBold},
		"\x1b[4:0mx":                     {},
		"\x1b[38mx":                      {},
		"\x1b[38;5mx":                    {Attrs: uv.AttrBlink},
		"\x1b[107;90mx":                  {Fg: ansi.BrightBlack, Bg: ansi.BrightWhite},
	} {
		lines := parse([]byte(text))
		if len(lines) != 1 || len(lines[0]) != 1 || lines[0][0].text != "x" || lines[0][0].look != want {
			t.Errorf("%q: %+v, want %+v", text, lines, want)
		}
	}
}

// A wide character takes two cells, one that combines none, a tab all up to its stop.
func TestGrid(t *testing.T) {
	for text, want := range map[string]int{"a日b": 4, "e\u0301x": 2, "ab\tc": 9, "\ta": 9, "\x1b[31mab": 2, "日\u0301": 2} {
		if lines := parse([]byte(text)); len(lines) != 1 || len(lines[0]) != want {
			t.Errorf("%q: %+v, want %d cells", text, lines, want)
		}
	}
}

// The upper 240 of the 256 colours are those of xterm; the lower 16 are the theme's.
func TestColours(t *testing.T) {
	for c, want := range map[color.Color]string{
		ansi.IndexedColor(16): ` fill="#000000"`, ansi.IndexedColor(208): ` fill="#ff8700"`, ansi.IndexedColor(231): ` fill="#ffffff"`,
		ansi.IndexedColor(232): ` fill="#080808"`, ansi.IndexedColor(255): ` fill="#eeeeee"`, color.RGBA{1, 2, 3, 255}: ` fill="#010203"`,
		ansi.IndexedColor(9): "c9", ansi.BrightRed: "c9", nil: "t",
	} {
		if got := inkOf(c, "t"); got.class+got.fill != want {
			t.Errorf("colour %v is %q, not %q", c, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-theme", "blue"}, {"file"}} {
		if err := run(args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add([]byte(screen))
	f.Add([]byte("\x1b[38:2:"))
	f.Add([]byte("\u0301\n\x1b[;;m\x1b[4:m▟▖"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		if err := run(nil, bytes.NewReader(text), &out); err != nil {
			t.Fatal(err)
		}
		wellFormed(t, out.Bytes())
	})
}
