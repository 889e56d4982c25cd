package tracefile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Recording is one recording, in one file or in the parts that rotation made of it. It
// is a record.Source.
type Recording struct {
	parts []*Reader
	at    int // the part that is being read

	marks   []lossMark // see Doubt, when marked
	skipped uint64
	marked  bool
}

var _ record.Source = (*Recording)(nil)

// OpenRecordings opens files, and puts those that are parts of one recording together.
// The recordings are in the order in which their first file was named.
func OpenRecordings(paths ...string) ([]*Recording, error) {
	var out []*Recording
	for _, path := range paths {
		r, err := Open(path)
		if err == nil {
			out, err = insert(out, r)
		}
		if err != nil {
			for _, c := range out {
				err = errors.Join(err, c.Close())
			}
			return nil, err
		}
	}
	return out, nil
}

// NewRecording is a recording in one part.
func NewRecording(r *Reader) *Recording { return &Recording{parts: []*Reader{r}} }

func insert(to []*Recording, r *Reader) ([]*Recording, error) {
	for _, c := range to {
		if r.info.ID == "" || c.parts[0].info.ID != r.info.ID {
			continue
		}
		at, twice := slices.BinarySearchFunc(c.parts, r.info.Part, func(p *Reader, part int) int { return cmp.Compare(p.info.Part, part) })
		if twice {
			return to, fmt.Errorf("part %d of one recording is there twice", r.info.Part)
		}
		c.parts = slices.Insert(c.parts, at, r)
		return to, nil
	}
	return append(to, NewRecording(r)), nil
}

// Parts are its files, in their order.
func (c *Recording) Parts() []*Reader { return c.parts }

// Info is what its first part says about itself.
func (c *Recording) Info() *Info { return &c.parts[0].info }

// Next returns the next raw record as Reader.Next does.
func (c *Recording) Next() ([]byte, error) {
	for {
		raw, err := c.parts[c.at].Next()
		if err == nil || !errors.Is(err, record.ErrEnd) || c.at == len(c.parts)-1 {
			return raw, err
		}
		c.at++
	}
}

// Stop ends reading: Next returns record.ErrEnd from now on.
func (c *Recording) Stop() error {
	for _, p := range c.parts {
		p.over = true
	}
	return nil
}

// Losses tells what was lost until the end of the chunk that is being read.
func (c *Recording) Losses() (record.Losses, error) {
	var sum record.Losses
	for _, p := range c.parts[:c.at+1] {
		l, err := p.Losses()
		if err != nil {
			return sum, err
		}
		to := sum.All()
		for i, n := range l.All() {
			*to[i] += *n
		}
	}
	return sum, nil
}

// Unknown counts records of kinds that this version does not know. They are skipped.
func (c *Recording) Unknown() uint64 {
	return c.sum((*Reader).Unknown)
}

// Longer counts writes whose head has fields that this version does not know.
func (c *Recording) Longer() uint64 {
	return c.sum((*Reader).Longer)
}

func (c *Recording) sum(of func(*Reader) uint64) (n uint64) {
	for _, p := range c.parts {
		n += of(p)
	}
	return n
}

// Path is the path of an inode, "" when it is not known.
func (c *Recording) Path(dev uint32, ino uint64, pid uint32) string {
	for _, p := range c.parts {
		if path := p.Path(dev, ino, pid); path != "" {
			return path
		}
	}
	return ""
}

// Missing says, after record.ErrEnd, what could not be read, and which part between two
// others is not there; nil when nothing is missing.
func (c *Recording) Missing() error {
	var errs []error
	for i, p := range c.parts {
		if i > 0 {
			for n := c.parts[i-1].info.Part + 1; n < p.info.Part; n++ {
				if errs = append(errs, fmt.Errorf("%w: part %d of the recording is not here", ErrFormat, n)); len(errs) > 9 {
					break
				}
			}
		}
		if err := p.Missing(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close closes all parts.
func (c *Recording) Close() error {
	var errs []error
	for _, p := range c.parts {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
