package explain

import (
	"encoding/json"
	"io"

	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// The JSON form. Names that a traced write has too are the same here.
type (
	jsonCase struct {
		Pos          int64       `json:"pos"`
		Len          int64       `json:"len"`
		Flags        []string    `json:"flags"`
		Buffer       uint32      `json:"buffer"`
		Async        bool        `json:"async"`
		BlockSize    int64       `json:"block_size"`
		ISize        int64       `json:"i_size"`
		IDisksize    int64       `json:"i_disksize"`
		ISizeAtGuess int64       `json:"i_size_at_guess"`
		Extents      string      `json:"extents"`
		Cache        string      `json:"cache"`
		Indirect     bool        `json:"indirect"`
		Nosec        bool        `json:"nosec"`
		Parts        bool        `json:"variants_differ"`
		Variants     []jsonTrace `json:"variants"`
	}
	jsonTrace struct {
		Variant       string         `json:"variant"`
		Steps         []jsonStep     `json:"steps"`
		End           string         `json:"end"`
		Reason        string         `json:"reason"`
		Missing       *string        `json:"missing"`
		FirstLock     *string        `json:"first_lock"`
		Lock          string         `json:"lock"`
		Passes        int            `json:"passes"`
		Lookups       []jsonLookup   `json:"lookups"`
		Drained       *bool          `json:"drained"`
		ForceWait     *bool          `json:"force_wait"`
		Orphan        bool           `json:"orphan"`
		Mappings      []jsonMapping  `json:"mappings"`
		Zeroed        []jsonRange    `json:"zeroed"`
		FallbackBytes int64          `json:"fallback_bytes"`
		FallbackDrain bool           `json:"fallback_drained"`
		Queued        bool           `json:"queued"`
		Ret           *int64         `json:"ret"`
		Reasons       []model.Reason `json:"reasons"` // reason, and what else held that asks for the exclusive lock
	}
	jsonStep struct {
		Pass     int    `json:"pass"` // 0 after the checks
		Function string `json:"function"`
		Test     string `json:"test"`
		Answer   *bool  `json:"answer"`
		Outcome  string `json:"outcome"`
	}
	jsonLookup struct {
		Pass  int    `json:"pass"`
		Lblk  uint32 `json:"lblk"`
		Len   uint32 `json:"len"`
		Flags uint32 `json:"flags"`
		Ret   int32  `json:"ret"`
	}
	jsonMapping struct {
		Pos       *int64   `json:"pos"`
		Len       *int64   `json:"len"`
		Type      string   `json:"type"`
		Flags     []string `json:"flags"`
		Allocated bool     `json:"allocated"`
	}
	jsonRange struct {
		Pos int64 `json:"pos"`
		Len int64 `json:"len"`
	}
)

// WriteJSON writes the explanation as one JSON object on one line.
func (e *Explanation) WriteJSON(w io.Writer) error {
	wr, in := &e.Case.Write, e.Case.Inode
	out := jsonCase{
		Pos: wr.Pos, Len: wr.Len, Flags: flagNames(wr.Flags), Buffer: wr.Buffer, Async: wr.Async,
		BlockSize: 1 << in.Blkbits, ISize: in.ISize, IDisksize: in.IDisksize, ISizeAtGuess: in.ISizeAtGuess,
		Extents: in.Extents.String(), Cache: in.Cache.String(), Indirect: in.Indirect, Nosec: in.Nosec,
		Parts: len(e.columns()) > 1,
	}
	for i := range e.Outcomes {
		out.Variants = append(out.Variants, trace(&e.Outcomes[i], in.Blkbits))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// flagNames are the IOCB_* flags as a traced write shows them.
func flagNames(flags uint32) []string {
	return append([]string{}, (&export.Row{KiFlags: flags}).FlagNames()...)
}

func trace(o *model.Outcome, blkbits uint8) jsonTrace {
	t := jsonTrace{
		Variant: o.Variant.String(), End: endName(o), Reason: string(o.Reason), Lock: "none", Passes: o.Passes,
		Steps: []jsonStep{}, Lookups: []jsonLookup{}, Mappings: []jsonMapping{}, Zeroed: []jsonRange{},
		FallbackBytes: o.Fallback.Len, FallbackDrain: o.FallbackDrain, Queued: o.Queued,
		Reasons: o.Reasons(),
	}
	for _, s := range o.Steps() {
		t.Steps = append(t.Steps, jsonStep{passOf(s), s.Func(), s.Test(), answer(s.Answer), s.Outcome()})
	}
	if o.End == model.EndUnknown {
		t.Missing = &o.Missing
	} else if o.End != model.EndDAX && o.Ended != model.SubmitUnknown {
		t.Ret = &o.Result
	}
	if o.Passes > 0 {
		mode := o.Pass[0].Mode.String()
		t.FirstLock = &mode
	}
	for i := range o.Passes {
		p := &o.Pass[i]
		for j := range min(p.N, model.MaxQueries) {
			q := p.Queries[j]
			t.Lookups = append(t.Lookups, jsonLookup{i + 1, q.Lblk, q.Len, q.Flags, p.Rets[j]})
		}
	}
	if o.End == model.EndDio {
		t.Lock, t.Orphan = o.Mode.String(), o.Extend
		t.Drained, t.ForceWait = answer(o.Drain), answer(o.ForceWait)
	}
	for _, m := range o.Mappings {
		t.Mappings = append(t.Mappings, mapping(m, blkbits))
	}
	for _, r := range o.Zeroed {
		t.Zeroed = append(t.Zeroed, jsonRange{r.Pos, r.Len})
	}
	return t
}

func answer(a model.Answer) *bool {
	if a == model.Unknown {
		return nil
	}
	yes := a == model.Yes
	return &yes
}

func mapping(m model.Mapping, blkbits uint8) jsonMapping {
	if m.Err != 0 {
		return jsonMapping{Type: errnoText(int64(m.Err)), Flags: []string{}}
	}
	pos, n := int64(m.Lblk)<<blkbits, int64(m.Len)<<blkbits
	return jsonMapping{
		Pos: &pos, Len: &n, Type: export.IomapType(m.Type), Flags: append([]string{}, export.IomapFlags(m.Flags)...), Allocated: m.Alloc != 0,
	}
}
