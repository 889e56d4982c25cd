package export

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// failure is an error other than that of NOWAIT.
type failure struct {
	ret int64 // -errno
	at  observe.Point
}

func (f failure) String() string { return fmt.Sprintf("%s at %s", Result(f.ret), f.at) }

// ended counts writes that were not written, or not as a whole.
type ended struct {
	refused [observe.NumPoints]uint64 // under NOWAIT
	failed  map[failure]uint64
	short   uint64 // written in part
	bytes   uint64 // asked for by those that failed or were short, and not written
}

func (e *ended) add(r *Row) {
	switch {
	case r.Refused.Known:
		e.refused[r.Refused.V]++
		return
	case r.FailedAt.Known:
		if e.failed == nil {
			e.failed = make(map[failure]uint64)
		}
		e.failed[failure{r.Ret.V, r.FailedAt.V}]++
	case r.Unwritten > 0:
		e.short++
	}
	e.bytes += uint64(r.Unwritten)
}

func (e *ended) clone() ended {
	c := *e
	c.failed = maps.Clone(e.failed)
	return c
}

// Refusals lists where NOWAIT refused writes, the most frequent first.
func (t *Totals) Refusals() []Count {
	var out []Count
	for at, n := range t.ended.refused {
		if n > 0 {
			out = append(out, Count{observe.Point(at).String(), n})
		}
	}
	return sorted(out)
}

// Failures lists other errors and where they came from, the most frequent first.
func (t *Totals) Failures() []Count {
	var out []Count
	for f, n := range t.ended.failed {
		out = append(out, Count{f.String(), n})
	}
	return sorted(out)
}

// Short is the number of writes that were written in part.
func (t *Totals) Short() uint64 { return t.ended.short }

// Unwritten is how many bytes the writes that failed or were short asked for and are not
// written. What NOWAIT refused is not among them: another try may have written it.
func (t *Totals) Unwritten() uint64 { return t.ended.bytes }

func sorted(out []Count) []Count {
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// RequestsText says how many requests the writes were tries of; nothing where each was one.
func (s *Summary) RequestsText() string {
	q := &s.Requests
	if q.Refused == 0 && q.Unknown == 0 {
		return ""
	}
	text := fmt.Sprintf("%d in %d tries: %d refused and retried, %d refused without a retry in the trace", q.Requests(), q.Tries, q.Retried, q.Abandoned())
	if q.Unknown > 0 {
		text += fmt.Sprintf(", %d by io-wq without an earlier try in the trace", q.Unknown)
	}
	if q.Evicted > 0 {
		text += fmt.Sprintf(" (%d refused ones were forgotten: there were too many)", q.Evicted)
	}
	return text
}

// RefusedText says where NOWAIT refused writes, nothing when it refused none.
func (t *Totals) RefusedText() string {
	if t.Refused == 0 {
		return ""
	}
	return fmt.Sprintf("%d by NOWAIT: %s", t.Refused, countsText(t.Refusals()))
}

// FailedText says which writes failed or fell short, nothing when none did.
func (t *Totals) FailedText() string {
	if t.Failed == 0 && t.Short() == 0 {
		return ""
	}
	text := fmt.Sprintf("%d", t.Failed)
	if t.Failed > 0 {
		text += ": " + countsText(t.Failures())
	}
	if t.Short() > 0 {
		text += fmt.Sprintf("; %d short", t.Short())
	}
	return text + fmt.Sprintf("; %d bytes not written", t.Unwritten())
}

func countsText(all []Count) string {
	var out []string
	for _, c := range all {
		out = append(out, fmt.Sprintf("%d %s", c.N, c.Reason))
	}
	return strings.Join(out, ", ")
}

// endedJSON is what a summary says of it to programs.
type endedJSON struct {
	Requests  uint64        `json:"requests"`
	Retried   uint64        `json:"retried"`           // refused tries that another followed
	Abandoned uint64        `json:"refused_for_good"`  // refused tries that none is seen to follow
	NoFirst   uint64        `json:"first_try_unknown"` // by io-wq
	Evicted   uint64        `json:"tries_forgotten"`
	Refused   []refusalJSON `json:"refused"`
	Failed    []failureJSON `json:"failed"`
	Short     uint64        `json:"short"`
	Unwritten uint64        `json:"unwritten_bytes"`
}

type refusalJSON struct {
	At string `json:"at"`
	N  uint64 `json:"writes"`
}

type failureJSON struct {
	Errno string `json:"errno"`
	At    string `json:"at"`
	N     uint64 `json:"writes"`
}

func (s *Summary) endedJSON() endedJSON {
	t, q := &s.Totals, &s.Requests
	out := endedJSON{
		Requests: q.Requests(), Retried: q.Retried, Abandoned: q.Abandoned(), NoFirst: q.Unknown, Evicted: q.Evicted,
		Refused: []refusalJSON{}, Failed: []failureJSON{}, Short: t.Short(), Unwritten: t.Unwritten(),
	}
	for _, c := range t.Refusals() {
		out.Refused = append(out.Refused, refusalJSON{c.Reason, c.N})
	}
	for f, n := range t.ended.failed {
		out.Failed = append(out.Failed, failureJSON{Result(f.ret), f.at.String(), n})
	}
	slices.SortFunc(out.Failed, func(a, b failureJSON) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Errno, b.Errno), strings.Compare(a.At, b.At))
	})
	return out
}
