package explain

import (
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
)

// Drawing draws the blocks that the write touches in at most width cells, as far as two
// blocks fit in them; nil for a write without bytes.
func (ob *Observed) Drawing(width int) []string {
	p := observedPicture(ob.Write)
	p.most = max(min((width-drawnLabel-gapCells)/(cells+1), maxDrawn), 2)
	return p.lines()
}

// Steps is the procedure of the first of the variants, with the facts that were seen.
func (ob *Observed) Steps() []string {
	var b strings.Builder
	d, _ := judge.Decide(ob.Write, ob.Variants[0])
	procedure(&b, d)
	return strings.Split(strings.Trim(b.String(), "\n"), "\n")
}
