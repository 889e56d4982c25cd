package rules

import (
	"fmt"
	"io"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Write writes all rules as text: what each says, why it matters, what it is
// judged by, and what is exempt. The error is that of w.
func Write(w io.Writer) error {
	var b strings.Builder
	for i, r := range All() {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.appendText(&b)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return nil
}

// WriteText writes the rule as Write does.
func (r *Rule) WriteText(w io.Writer) error {
	var b strings.Builder
	r.appendText(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write rule: %w", err)
	}
	return nil
}

func (r *Rule) appendText(b *strings.Builder) {
	fmt.Fprintf(b, "%-4s%s\n", r.ID, r.Text)
	add := func(name, text string) {
		if text != "" {
			wrap(b, fmt.Sprintf("    %-10s", name), text)
		}
	}
	add("why", r.Why)
	add("broken is", r.kindText())
	if r.Safety {
		add("promised", r.promiseText())
	}
	add("needs", strings.Join(r.Needs.Names(), ", "))
	add("", r.NeedsAlso)
	if len(r.Compares) > 0 {
		add("compares", strings.Join(r.Compares, ", ")+" with the decision of the variant")
	}
	for _, e := range r.Exempt {
		add("except", e.Name+": "+e.Text)
	}
}

// textWidth is where lines of a rule are broken.
const textWidth = 80

// wrap adds text behind head, further lines indented as deep.
func wrap(b *strings.Builder, head, text string) {
	at, indent := len(head), strings.Repeat(" ", len(head))
	b.WriteString(head)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(word) > textWidth:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteByte('\n')
}

func (r *Rule) kindText() string {
	if r.Safety {
		return "unsafe"
	}
	return "slower, or differs"
}

// PromisedBy names what a kernel must have to promise the rule, "" when all promise
// it.
func (r *Rule) PromisedBy() string {
	switch {
	case r.Promise != 0:
		return fmt.Sprintf("patch %d", model.PatchOf(r.Promise))
	case r.Set == R4:
		return sleepPromises
	}
	return ""
}

func (r *Rule) promiseText() string {
	switch by := r.PromisedBy(); {
	case r.Set == R4:
		return "for i_rwsem and the drain by every kernel, else by kernels with " + by
	case by == "":
		return "by every kernel"
	case r.Promise == model.DrainFallback:
		return "by kernels with " + by + ", and by one that was seen to drain before a buffered copy"
	default:
		return "by kernels with " + by
	}
}
