package report

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
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
func (d *Redactor) Path(id record.NameID) string {
	if d.below == nil {
		return ""
	}
	return token(d.paths, "file", d.below.Path(id))
}

// Row replaces the name of the process. Its path came from Path already.
func (d *Redactor) Row(r *export.Row) { r.Comm = token(d.comms, "task", r.Comm) }

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
