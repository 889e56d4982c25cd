// Package redact replaces what a trace tells of the place it comes from by tokens: names of
// files and of the folders above them, of processes, devices and mount points, of the host,
// of marks, and the command line. The same name has the same token wherever the same key is used, and
// without the key nothing can be told of the name.
//
// What it does not know it refuses: there is no output in which only some names are
// replaced.
package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// keySize is the length of a key, bytes.
const keySize = 32

// maxTokens bounds the tokens that are remembered; others are made each time.
const maxTokens = 1 << 16

// Redactor makes tokens. It belongs to one goroutine.
type Redactor struct {
	key   []byte
	known map[string]string
	raw   []byte // of Record
}

// New returns a Redactor with a key of its own, whose tokens are those of no other.
func New() *Redactor {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails
	return withKey(key)
}

func withKey(key []byte) *Redactor { return &Redactor{key: key, known: map[string]string{}} }

// FromFile returns a Redactor with the key in a file, which is made when it is not there,
// readable by its owner only.
func FromFile(path string) (*Redactor, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newKeyFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key for tokens: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%s is no key for tokens: it does not hold %d hexadecimal digits", path, 2*keySize)
	}
	return withKey(key), nil
}

func newKeyFile(path string) (*Redactor, error) {
	r := New()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the key for tokens: %w", err)
	}
	_, err = fmt.Fprintln(f, hex.EncodeToString(r.key))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("make the key for tokens: %w", errors.Join(err, os.Remove(path)))
	}
	return r, nil
}

// Kinds of names. A token of a process has to fit into a record.
const (
	name    = "n"
	task    = "task"
	host    = "host"
	boot    = "boot"
	option  = "value"
	marked  = "mark"
	said    = "(redacted)"
	digits  = 10 // of a token, of 5 bits each
	deleted = " (deleted)"
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// token stands for a text of a kind; an empty one is not one.
func (r *Redactor) token(kind, text string) string {
	if text == "" {
		return ""
	}
	what := kind + "\x00" + text
	if t, ok := r.known[what]; ok {
		return t
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(what))
	t := kind + "-" + letters.EncodeToString(mac.Sum(nil))[:digits]
	if len(r.known) < maxTokens {
		r.known[what] = t
	}
	return t
}

// Comm is the token of the name of a thread.
func (r *Redactor) Comm(comm string) string { return r.token(task, comm) }

// Name is a path with a token for each of its parts, so that what lies in one folder still
// does.
func (r *Redactor) Name(path string) string {
	path, gone := strings.CutSuffix(path, deleted)
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = r.token(name, parts[i])
	}
	path = strings.Join(parts, "/")
	if gone {
		path += deleted
	}
	return path
}

// Mark is the token of the name of a mark: what is tested may be nobody else's business.
func (r *Redactor) Mark(name string) string { return r.token(marked, name) }

// Row replaces the names in a row: those of its file, of its mark, of its task, and of those it waited for.
func (r *Redactor) Row(row *export.Row) {
	row.Path, row.Mark = r.Name(row.Path), r.Mark(row.Mark)
	r.Tasks(row)
}

// Tasks replaces those of its task, and of those it waited for, in a row whose path and mark came
// from Names.
func (r *Redactor) Tasks(row *export.Row) {
	row.Comm = r.Comm(row.Comm)
	for i := range row.Waits {
		parts := slices.Clone(row.Waits[i].Parts)
		for k := range parts {
			p := &parts[k]
			p.Comm, p.With = r.Comm(p.Comm), slices.Clone(p.With)
			for n := range p.With {
				p.With[n].Comm = r.Comm(p.With[n].Comm)
			}
			p.DrainedFor, p.Behind = slices.Clone(p.DrainedFor), slices.Clone(p.Behind)
			for n := range p.DrainedFor {
				p.DrainedFor[n].Comm = r.Comm(p.DrainedFor[n].Comm)
			}
			for n := range p.Behind {
				p.Behind[n].Comm = r.Comm(p.Behind[n].Comm)
			}
		}
		row.Waits[i].Parts = parts
	}
}

// Names are those below, as tokens.
func (r *Redactor) Names(below export.Names) export.Names { return redacted{r, below} }

type redacted struct {
	r     *Redactor
	below export.Names
}

func (n redacted) Path(id record.NameID) string { return n.r.Name(n.below.Path(id)) }

// MarkAt implements export.Marks.
func (n redacted) MarkAt(t uint64) string {
	if m, ok := n.below.(export.Marks); ok {
		return n.r.Mark(m.MarkAt(t))
	}
	return ""
}

// Info is what a trace says of itself, without names. What it says of the kernel stays:
// without that nothing can be judged.
func (r *Redactor) Info(info *tracefile.Info) (*tracefile.Info, error) {
	out := &tracefile.Info{
		ID: info.ID, Part: info.Part, Tool: info.Tool, Began: info.Began, Monotonic: info.Monotonic, Boot: info.Boot,
		BootID: r.token(boot, info.BootID), Host: r.token(host, info.Host),
		Release: info.Release, Build: info.Build, Arch: info.Arch, PageSize: info.PageSize, CPUs: info.CPUs,
		Variant: info.Variant, Facts: slices.Clone(info.Facts), Plan: slices.Clone(info.Plan), FileSystems: []ext4fs.Mount{},
	}
	if len(info.Command) > 0 {
		out.Command = []string{said}
	}
	if info.Excluded != "" {
		out.Excluded = said
	}
	out.FileSystems = append(out.FileSystems, r.Mounts(info.FileSystems)...)
	for _, part := range []json.RawMessage{out.Facts, out.Plan} {
		if info.Host != "" && bytes.Contains(part, []byte(info.Host)) {
			return nil, errors.New("cannot redact: what the trace says of the kernel has the name of the host in it")
		}
	}
	return out, nil
}

// Mounts are file systems without names: of their devices, mount points and what options name.
func (r *Redactor) Mounts(all []ext4fs.Mount) []ext4fs.Mount {
	out := slices.Clone(all)
	for i := range out {
		m := &out[i]
		m.Source, m.Point = r.Name(m.Source), r.Name(m.Point)
		m.Options, m.SuperOptions = r.options(m.Options), r.options(m.SuperOptions)
	}
	return out
}

// wordy are the options whose values are words of ext4.
var wordy = []string{"errors", "data", "data_err", "dax", "jqfmt"}

// options replaces the values of mount options that are neither numbers nor words of ext4.
func (r *Redactor) options(list string) string {
	all := strings.Split(list, ",")
	for i, o := range all {
		key, value, ok := strings.Cut(o, "=")
		switch {
		case ok && !slices.Contains(wordy, key) && strings.Trim(value, "0123456789") != "":
			all[i] = key + "=" + r.token(option, value)
		case !ok && strings.Trim(o, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
			all[i] = r.token(option, o) // a part of a value with a comma in it
		}
	}
	return strings.Join(all, ",")
}

// Record is a raw record without the name of the thread. It is valid until the next call.
// The error is about a record that may hold more than is known of it.
func (r *Redactor) Record(raw []byte) ([]byte, error) {
	kind, _, err := record.KindOf(raw)
	switch head := record.HeadOf(raw); {
	case err != nil:
		return nil, fmt.Errorf("cannot redact a record: %w", err)
	case kind == record.KindComplete && len(raw) == record.CompleteSize, record.IsBudget(raw):
		return raw, nil
	case kind == record.KindHold && len(raw) == record.HoldSize:
		r.raw = append(r.raw[:0], raw...)
		r.comm(r.raw[record.AtHoldComm:])
		return r.raw, nil
	case kind != record.KindWrite:
		return nil, fmt.Errorf("cannot redact a record of kind %d: this version does not know what is in it", kind)
	case head == 0 || head > record.HeadSize || len(raw) != head+int(raw[record.AtNSteps])*record.StepSize:
		return nil, fmt.Errorf("cannot redact a write of %d bytes with a head of %d: this version does not know all that is in it", len(raw), head)
	}
	r.raw = append(r.raw[:0], raw...)
	r.comm(r.raw[record.AtComm:])
	return r.raw, nil
}

// comm puts a token in the place of the name of a thread, which the field at the begin of at
// holds.
func (r *Redactor) comm(at []byte) {
	comm := at[:commSize]
	text, _, _ := bytes.Cut(comm, []byte{0})
	token := r.Comm(string(text))
	clear(comm)
	copy(comm[:commSize-1], token)
}

const commSize = 16 // TASK_COMM_LEN
