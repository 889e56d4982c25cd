package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// none stands in a table where nothing was measured.
const none = "-"

// grouped writes a number without decimals and with commas, as 1,234,567.
func grouped(x float64) string {
	digits := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// seconds writes a time as the cover letter does.
func seconds(ns int64) string {
	if ns < int64(10*time.Second) {
		return fmt.Sprintf("%.2fs", time.Duration(ns).Seconds())
	}
	return fmt.Sprintf("%.1fs", time.Duration(ns).Seconds())
}

// times writes a ratio, as 1.97x.
func times(x float64) string { return fmt.Sprintf("%.2fx", x) }

// share is the part of the writes that were exclusive.
func (l *Locks) share() string {
	x, ok := l.ExclusiveShare()
	switch {
	case !ok:
		return none
	case x > 0 && x < 0.001:
		return "<0.1%"
	case x < 1 && x > 0.999:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", 100*x)
}

// wait is the average time for which a write waited for i_rwsem.
func (l *Locks) wait() string {
	d, ok := l.Wait()
	switch {
	case !ok:
		return none
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d.Nanoseconds())
	case d < time.Millisecond:
		return short(float64(d)/1e3) + "us"
	case d < time.Second:
		return short(float64(d)/1e6) + "ms"
	}
	return fmt.Sprintf("%.2fs", d.Seconds())
}

// short writes a number below 1000 with a decimal where that is worth a column.
func short(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// lineWidth is how wide text may be, in characters.
const lineWidth = 80

// wrap breaks a line between words so that it is no wider than lineWidth, what
// follows indented, and ends it.
func wrap(s string) string {
	const indent = "    "
	var b strings.Builder
	line := ""
	for i, word := range strings.Fields(s) {
		switch {
		case i == 0:
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth:
			b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	return b.String() + line + "\n"
}

// safe makes text from a file fit for a terminal: what is not printable, and what
// is no UTF-8, becomes a question mark.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
