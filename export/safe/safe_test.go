package safe

import "testing"

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain name":    "plain name",
		"tab\tline\n":   `tab\tline\n`,
		"\x1b[31m\a":    `\x1b[31m\x07`,
		"\u009bx":       `\u009bx`,
		"\u202eevil":    `\u202eevil`,
		"\xff\xfe":      `\xff\xfe`,
		`back\slash`:    `back\\slash`,
		"日本 é":          "日本 é",
		"\U000e0001":    `\U000e0001`,
		"\u00a0 \u200b": `\u00a0 \u200b`,
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{`bad\x1b[31m`: `bad\x1b[31m`, `a\\b`: `a\\b`, "a\x1bb": `a\x1bb`, "ä": "ä"} {
		if got := Mark(in); got != want || Printable(in) != (in == want) {
			t.Errorf("Mark(%q) = %s, want %s", in, got, want)
		}
	}
	if got := Message(`a\b` + "\n"); got != `a\b\n` {
		t.Errorf("Message keeps its backslashes: %s", got)
	}
}
