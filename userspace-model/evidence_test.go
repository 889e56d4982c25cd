package model

import "testing"

// TestEvidence: what a kernel shows excludes variants, or only speaks against them. Each row
// is overwrite_begin, iov, next (y, n, - where it could not be looked up), then what is left
// of linux-6.1, linux-6.12, linux-7.2, base, and behind a slash what is spoken against.
func TestEvidence(t *testing.T) {
	for _, row := range []string{
		"--- 6.1 6.12 7.2 base /",
		"-y- 6.1 6.12 7.2 base /",
		"--y 6.1 6.12 7.2 base /",
		"--n 6.1 6.12 7.2 base /",
		"y-- 6.1 6.12 /",
		"yy- 6.1 /",
		"yn- 6.12 /",
		"yyn 6.1 /",
		"yyy 6.1 /",
		"n-- 7.2 base /",
		"ny- 7.2 base /",
		"nn- 7.2 base /",
		"n-n 7.2 base / base",
		"n-y 7.2 base / 6.1 6.12 7.2",
	} {
		answers := map[byte]Answer{'y': Yes, 'n': No, '-': Unknown}
		e := Evidence{OverwriteBegin: answers[row[0]], IovMember: answers[row[1]], IomapNext: answers[row[2]]}
		got := row[:3]
		against := " /"
		for _, v := range []struct {
			name string
			v    Variant
		}{{"6.1", Linux61}, {"6.12", Linux612}, {"7.2", Linux72}, {"base", Base}} {
			if e.Fits(v.v) {
				got += " " + v.name
			}
			if e.Against(v.v) {
				against += " " + v.name
			}
		}
		if got += against; got != row {
			t.Errorf("%s, want %s", got, row)
		}
	}
}
