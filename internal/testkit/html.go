package testkit

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// WellFormed checks that all elements of a page are closed: a name that became markup would not be.
func WellFormed(t *testing.T, html string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	open := map[string]int{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			open[e.Name.Local]++
		case xml.EndElement:
			open[e.Name.Local]--
		}
	}
	for name, n := range open {
		if n != 0 {
			t.Errorf("%d elements %s are not closed", n, name)
		}
	}
}
