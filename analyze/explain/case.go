package explain

import (
	"fmt"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Case is one write to an inode that is known, to be explained under some
// variants.
type Case struct {
	Write    model.Write
	Inode    *model.Inode
	Variants []model.Variant
}

// Explanation is a Case decided.
type Explanation struct {
	Case     Case
	Outcomes []model.Outcome // one for each of Case.Variants
}

// Explain decides c under each of its variants. An error names the fact that
// cannot be.
func Explain(c Case) (*Explanation, error) {
	e := &Explanation{Case: c, Outcomes: make([]model.Outcome, len(c.Variants))}
	for i, v := range c.Variants {
		if err := model.Predict(&e.Outcomes[i], &c.Write, c.Inode, v); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// picture draws the write. What is zeroed is drawn when all variants that come to
// it agree.
func (e *Explanation) picture() *picture {
	in := e.Case.Inode
	p := &picture{blkbits: in.Blkbits, isize: in.ISize, state: func(b int64) byte {
		return in.Extents.At(uint32(min(b, model.MaxBlocks-1)), 1).State.Letter()
	}}
	p.pos = in.Start(&e.Case.Write)
	p.end = p.pos + e.Case.Write.Len
	first := true
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		if o.Ended != model.SubmitDone {
			continue
		}
		if !first && fmt.Sprint(o.Zeroed) != fmt.Sprint(p.zeroed) {
			p.zeroed = nil
			break
		}
		p.zeroed, first = o.Zeroed, false
	}
	return p
}

// headline tells what is written to what, and how.
func headline(pos, n int64, how []string, file string) []string {
	write := fmt.Sprintf("%d bytes at %d, to %d", n, pos, pos+n)
	if len(how) > 0 {
		write += ": " + strings.Join(how, ", ")
	}
	return []string{"write  " + write, "file   " + file}
}

func (e *Explanation) headline() []string {
	w, in := &e.Case.Write, e.Case.Inode
	how := flagNames(w.Flags)
	if w.Async {
		how = append(how, "asynchronous")
	}
	if w.Buffer != 0 {
		how = append(how, fmt.Sprintf("buffer aligned to %d", w.Buffer&-w.Buffer))
	}
	file := fmt.Sprintf("%d-byte blocks, i_size %d, i_disksize %d", 1<<in.Blkbits, in.ISize, in.IDisksize)
	if in.ISizeAtGuess != in.ISize {
		file += fmt.Sprintf(", i_size %d at the guess", in.ISizeAtGuess)
	}
	return headline(in.Start(w), w.Len, how, file+inodeWords(in))
}

func inodeWords(in *model.Inode) string {
	out := ""
	for _, f := range []struct {
		is   bool
		text string
	}{
		{in.Indirect, "block map"}, {!in.Nosec, "not nosec"}, {in.Stale, "timestamps not current"},
		{in.Cached, "in the page cache"}, {in.Cache == model.CacheCold, "nothing in the extent-status tree"},
		{in.Busy, "i_rwsem held by another"}, {in.DAX, "DAX"}, {in.Direct.Inline == model.Yes, "inline data"},
		{in.Direct.Journal == model.Yes, "data=journal"}, {in.Direct.Encrypt == model.Yes, "encrypted"},
	} {
		if f.is {
			out += ", " + f.text
		}
	}
	return out
}
