package rowfilter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Field is a field or a flag, for the help.
type Field struct {
	Name, What string
	Flag       bool // stands alone
}

// Fields lists the fields and then the flags, those that are wanted most first.
func Fields() []Field {
	var out []Field
	for i := range fieldTable {
		out = append(out, fieldTable[i].Field)
	}
	for i := range flagTable {
		out = append(out, flagTable[i].Field)
	}
	return out
}

// kind is how values of a field are written and compared.
type kind uint8

const (
	text   kind = iota
	choice      // one of few words
	bytes
	duration
	count
	result // bytes or an errno
	device
	list // of words
)

// operators of the kind, each between blanks.
func (k kind) operators() string {
	switch k {
	case text:
		return " = != ~ !~ "
	case choice, device, list:
		return " = != "
	}
	return " = != < <= > >= "
}

// possible is what is said of the values of a kind.
var possible = map[kind]string{
	text: "text; * and ? stand for others", bytes: "bytes, such as 512, 64k or 1m", duration: "a time, such as 50us or 5ms",
	count: "a number", result: "bytes, or an error such as -EAGAIN", device: "MAJOR:MINOR, such as 8:0", list: "R1 to R13",
}

// field is one that a row has.
type field struct {
	Field
	kind   kind
	values string // what is possible, for errors
	// number is for bytes, duration, count, result and device, and for choice the place
	// of the word among choices; word is for text, words for list. known is false when
	// the fact is not known.
	number  func(*export.Row) (n int64, known bool)
	choices *schema.Words
	word    func(*export.Row) (s string, known bool)
	words   func(*export.Row) (s []string, known bool)
}

// first is the order of the fields that were wanted most; others follow.
const first = "lock verdict reason file path comm pid tid dev ino pos len wait latency passes ret zeroed fallback rule hazard caller variant"

var fieldTable = makeFields()

// makeFields lists the fields of export.Fields that have a name for filters, and what is
// not stored in a row as it is asked for.
func makeFields() []field {
	out := []field{
		{Field: Field{Name: "reason", What: "why the write took its lock, such as zeroing"}, kind: text, word: filled((*export.Row).ReasonText)},
		{Field: Field{Name: "file", What: "last part of the path"}, kind: text, word: filled(fileName)},
		{Field: Field{Name: "zeroed", What: "bytes zeroed around the write"}, kind: bytes, number: zeroedBytes},
	}
	for i := range export.Fields {
		if f := &export.Fields[i]; f.Filter != "" && f.Type != schema.TypeBool {
			out = append(out, fieldOf(f))
		}
	}
	for i := range out {
		if f := &out[i]; f.values == "" {
			f.values = possible[f.kind]
		}
	}
	slices.SortStableFunc(out, func(a, b field) int { return cmp.Compare(place(first, a.Name), place(first, b.Name)) })
	return out
}

// place is where a name stands in an order; behind it when it does not.
func place(order, name string) int {
	names := strings.Fields(order)
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return len(names)
}

// fieldOf is the field of a filter line for one of a row.
func fieldOf(f *schema.Field[export.Row]) field {
	out := field{Field: Field{Name: f.Filter, What: f.FilterDoc}, number: f.Number, kind: count}
	switch {
	case f.Type == schema.TypeText:
		out.kind, out.word = text, f.Text
	case f.Type == schema.TypeTexts:
		out.kind, out.words = list, f.Texts
	case f.Type == schema.TypeWord && f.Words != nil:
		out.kind, out.choices = choice, f.Words
		out.values = cmp.Or(choices[f.Filter], strings.Join(f.Words.List(), ", "))
	case f.Unit == "MAJOR:MINOR":
		out.kind = device
	case f.Unit == "bytes or -errno":
		out.kind = result
	case f.Unit == "bytes":
		out.kind = bytes
	case f.Unit == "ns":
		out.kind = duration
	}
	return out
}

// choices are said in another order than that of their numbers, or are more than those.
var choices = map[string]string{
	"lock": "shared, exclusive or none", "verdict": "agree, undecided, slower, differs, unsafe, disagree",
}

// flag is a condition without a value.
type flag struct {
	Field
	on func(*export.Row) (on, known bool)
}

// firstFlags is the order of the flags.
const firstFlags = "shared exclusive disagree agree undecided slower differs unsafe nowait dsync sync append atomic hipri dontcache queued async " +
	"unaligned extending drained forcewait restarted slept zeroed fallback failed incomplete truncated"

var flagTable = makeFlags()

// makeFlags lists the booleans of export.Fields, and what follows from others.
func makeFlags() []flag {
	out := []flag{
		isLock(export.Shared), isLock(export.Exclusive),
		{flagged("disagree", "slower, differs or unsafe"), func(r *export.Row) (bool, bool) { return r.Disagrees(), r.Verdict.Known }},
		kiFlag("nowait", "RWF_NOWAIT"), kiFlag("dsync", "O_DSYNC or RWF_DSYNC"), kiFlag("sync", "O_SYNC or RWF_SYNC"),
		kiFlag("append", "O_APPEND or RWF_APPEND"), kiFlag("atomic", "RWF_ATOMIC"), kiFlag("hipri", "RWF_HIPRI, polled"), kiFlag("dontcache", "RWF_DONTCACHE"),
		{flagged("queued", "the write function returned -EIOCBQUEUED"), wasQueued},
		{flagged("async", "as queued"), wasQueued},
		{flagged("restarted", "more than one pass"), above(func(r *export.Row) (int64, bool) { return int64(r.Passes.V), r.Passes.Known }, 1)},
		{flagged("zeroed", "zeroed>0"), above(zeroedBytes, 0)},
		{flagged("fallback", "fallback>0"), above(func(r *export.Row) (int64, bool) { return r.FallbackBytes.V, r.FallbackBytes.Known }, 0)},
		{flagged("failed", "ret<0"), func(r *export.Row) (bool, bool) { return r.Ret.V < 0, r.Ret.Known }},
		{flagged("incomplete", "the record does not hold all that the kernel passed"), func(r *export.Row) (bool, bool) { return r.Incomplete != "", true }},
	}
	for k := judge.Undecided; k <= judge.Unsafe; k++ {
		out = append(out, flag{flagged(k.String(), "as verdict="+k.String()), func(r *export.Row) (bool, bool) { return r.Verdict.V == k, r.Verdict.Known }})
	}
	for i := range export.Fields {
		if f := &export.Fields[i]; f.Filter != "" && f.Type == schema.TypeBool {
			out = append(out, flag{flagged(f.Filter, f.FilterDoc), above(f.Number, 0)})
		}
	}
	slices.SortStableFunc(out, func(a, b flag) int { return cmp.Compare(place(firstFlags, a.Name), place(firstFlags, b.Name)) })
	return out
}

var fields, flags = byName()

func byName() (map[string]*field, map[string]*flag) {
	f, g := make(map[string]*field), make(map[string]*flag)
	for i := range fieldTable {
		f[fieldTable[i].Name] = &fieldTable[i]
	}
	for i := range flagTable {
		g[flagTable[i].Name] = &flagTable[i]
	}
	return f, g
}

func flagged(name, what string) Field { return Field{name, what, true} }

// filled makes an empty text one that is not known.
func filled(get func(*export.Row) string) func(*export.Row) (string, bool) {
	return func(r *export.Row) (string, bool) { s := get(r); return s, s != "" }
}

func above(get func(*export.Row) (int64, bool), least int64) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { n, known := get(r); return n > least, known }
}

// kiFlag is an IOCB_* flag by its name.
func kiFlag(name, what string) flag {
	bit := export.KiFlag(strings.ToUpper(name))
	return flag{flagged(name, what), func(r *export.Row) (bool, bool) { return r.KiFlags&bit != 0, true }}
}

func isLock(l export.Lock) flag {
	return flag{flagged(l.String(), "as lock="+l.String()), func(r *export.Row) (bool, bool) { return r.Lock.V == l, r.Lock.Known }}
}

// wasQueued is not known of a write whose return was not seen.
func wasQueued(r *export.Row) (on, known bool) {
	return r.Facts.Queued, r.Facts.Queued || r.Stages.Has(record.StageReturn)
}

func fileName(r *export.Row) string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

func zeroedBytes(r *export.Row) (int64, bool) {
	z := r.ZeroedBytes()
	return z.V, z.Known
}
