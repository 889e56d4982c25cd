package report

import (
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Redactor replaces names of files and processes by tokens. The same name has the same
// token, in the order in which names appear; two tokens stand for two names.
type Redactor struct {
	comms map[string]string
	paths map[string]string
	below export.Names
}

// NewRedactor returns a Redactor in front of names, which may be nil.
func NewRedactor(below export.Names) *Redactor {
	return &Redactor{comms: make(map[string]string), paths: make(map[string]string), below: below}
}

// Path implements export.Names: a token where there is a path.
func (d *Redactor) Path(dev uint32, ino uint64, pid uint32) string {
	if d.below == nil {
		return ""
	}
	return token(d.paths, "file", d.below.Path(dev, ino, pid))
}

// Row replaces the names of the process and of those it waited for. Its path came from
// Path already.
func (d *Redactor) Row(r *export.Row) {
	r.Comm = d.comm(r.Comm)
	for i := range r.Waits {
		parts := slices.Clone(r.Waits[i].Parts)
		for k := range parts {
			p := &parts[k]
			p.Comm, p.With = d.comm(p.Comm), slices.Clone(p.With)
			for n := range p.With {
				p.With[n].Comm = d.comm(p.With[n].Comm)
			}
		}
		r.Waits[i].Parts = parts
	}
}

func (d *Redactor) comm(name string) string { return token(d.comms, "task", name) }

// maxTokens bounds the names that are remembered; all others share one token.
const maxTokens = 1 << 20

func token(known map[string]string, kind, name string) string {
	if name == "" {
		return ""
	}
	if t, ok := known[name]; ok {
		return t
	}
	if len(known) >= maxTokens {
		return kind + "-other"
	}
	t := fmt.Sprintf("%s-%d", kind, len(known)+1)
	known[name] = t
	return t
}
