package rowfilter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

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

// Operators of kinds, each between blanks.
const (
	equal    = " = != "
	contains = " = != ~ !~ "
	ordered  = " = != < <= > >= "
)

// kinds are the operators of each kind, and what is said of its values.
var kinds = [...]struct{ operators, values string }{
	text:     {contains, "text; * and ? stand for others"},
	choice:   {operators: equal},
	bytes:    {ordered, "bytes, such as 512, 64k or 1m"},
	duration: {ordered, "a time, such as 50us or 5ms"},
	count:    {ordered, "a number"},
	result:   {ordered, "bytes, or an error such as -EAGAIN"},
	device:   {equal, "MAJOR:MINOR, such as 8:0"},
	list:     {equal, "R1 to R13"},
}

// field is one that a row has.
type field struct {
	name   string
	kind   kind
	values string // what is possible, for errors
	// number is for bytes, duration, count, result and device, and for choice the place
	// of the word among choices; word is for text, words for list. known is false when
	// the fact is not known.
	number  func(*export.Row) (n int64, known bool)
	choices *schema.Words
	word    func(*export.Row) (s string, known bool)
	words   func(*export.Row) (s []string, known bool)
	// These are of those for whom it waited, see holderFields.
	actor       func(*observe.Actor) string
	actorNumber func(*observe.Actor) int64
}

// first is the order of the fields, those that are wanted most at the front.
const first = "lock verdict reason file path comm pid tid dev ino pos len wait latency passes ret zeroed fallback rule hazard caller variant generation globalpid refusedat failedat request try seq inside mark holder holdercomm holderpid " +
	"budget.spin budget.queue budget.failed_pass budget.lookup budget.drain budget.times budget.alloc budget.zero budget.submit budget.device budget.wakeup budget.convert budget.sync budget.buffered budget.rest"

var fieldTable = makeFields()

// makeFields lists the fields of export.Fields that have a name for filters, and what is
// not stored in a row as it is asked for.
func makeFields() []field {
	out := []field{
		{name: "reason", kind: text, word: filled((*export.Row).ReasonText)},
		{name: "file", kind: text, word: filled(fileName)},
		{name: "zeroed", kind: bytes, number: zeroedBytes},
	}
	out = append(out, holderFields...)
	filters := export.Fields.Filters()
	for i := range filters {
		if f := &filters[i]; f.Type != schema.TypeBool {
			out = append(out, fieldOf(f))
		}
		if f := &out[len(out)-1]; f.name == "mark" {
			f.word = markName
		}
	}
	for i := range out {
		out[i].values = cmp.Or(out[i].values, kinds[out[i].kind].values)
	}
	names := strings.Fields(first)
	slices.SortStableFunc(out, func(a, b field) int { return cmp.Compare(slices.Index(names, a.name), slices.Index(names, b.name)) })
	return out
}

// fieldOf is the field of a filter line for one of a row.
func fieldOf(f *schema.Field[export.Row]) field {
	out := field{name: f.Filter, number: f.Number, kind: count}
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

// choices have more words than there are values.
var choices = map[string]string{"verdict": strings.Join(append(export.VerdictNames(), "disagree"), ", ")}

// flag is a condition without a value.
type flag func(*export.Row) (on, known bool)

var flags = makeFlags()

// makeFlags lists the booleans of export.Fields, and what follows from others.
func makeFlags() map[string]flag {
	out := map[string]flag{
		"disagree":   func(r *export.Row) (bool, bool) { return r.Disagrees(), r.Verdict.Known },
		"queued":     wasQueued,
		"async":      wasQueued,
		"restarted":  above(func(r *export.Row) (int64, bool) { return int64(r.Passes.V), r.Passes.Known }, 1),
		"zeroed":     above(zeroedBytes, 0),
		"fallback":   above(func(r *export.Row) (int64, bool) { return r.FallbackBytes.V, r.FallbackBytes.Known }, 0),
		"failed":     func(r *export.Row) (bool, bool) { return r.Ret.V < 0, r.Ret.Known },
		"refused":    func(r *export.Row) (bool, bool) { return r.Refused.Known, r.Ret.Known },
		"retry":      above(func(r *export.Row) (int64, bool) { return int64(r.Try.V), r.Try.Known }, 1),
		"incomplete": func(r *export.Row) (bool, bool) { return r.Incomplete != "", true },
	}
	for _, name := range strings.Fields("nowait dsync sync append atomic hipri dontcache") {
		bit := export.KiFlag(strings.ToUpper(name))
		out[name] = func(r *export.Row) (bool, bool) { return r.KiFlags&bit != 0, true }
	}
	for l := export.Shared; int(l) < len(export.LockNames()); l++ { // "none" says too little as a flag
		out[l.String()] = func(r *export.Row) (bool, bool) { return r.Lock.V == l, r.Lock.Known }
	}
	for k := range judge.Kind(len(export.VerdictNames())) {
		out[k.String()] = func(r *export.Row) (bool, bool) { return r.Verdict.V == k, r.Verdict.Known }
	}
	for i := range export.Fields {
		if f := &export.Fields[i]; f.Filter != "" && f.Type == schema.TypeBool {
			out[f.Filter] = above(f.Number, 0)
		}
	}
	return out
}

// fieldNamed is the field with a name, nil for none.
func fieldNamed(name string) *field {
	if i := slices.IndexFunc(fieldTable, func(f field) bool { return f.name == name }); i >= 0 {
		return &fieldTable[i]
	}
	return nil
}

// filled makes an empty text one that is not known.
func filled(get func(*export.Row) string) func(*export.Row) (string, bool) {
	return func(r *export.Row) (string, bool) { s := get(r); return s, s != "" }
}

func above(get func(*export.Row) (int64, bool), least int64) flag {
	return func(r *export.Row) (bool, bool) { n, known := get(r); return n > least, known }
}

// wasQueued is not known of a write whose return was not seen.
func wasQueued(r *export.Row) (on, known bool) {
	return r.Facts.Queued, r.Facts.Queued || r.Stages.Has(record.StageReturn)
}

func fileName(r *export.Row) string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

// markName is always known: a write without a mark has an empty one.
func markName(r *export.Row) (string, bool) { return r.Mark, true }

func zeroedBytes(r *export.Row) (int64, bool) {
	z := r.ZeroedBytes()
	return z.V, z.Known
}
