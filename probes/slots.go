package probes

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
)

// layout is where the members of a struct of the BPF programs lie, by their names.
type layout struct {
	size    int
	members map[string]member
}

type member struct{ at, width int }

// layoutOf is the layout of what a map holds.
func layoutOf(spec *ebpf.MapSpec) (l layout, err error) {
	s, ok := btf.As[*btf.Struct](spec.Value)
	if !ok {
		return l, fmt.Errorf("map %s: it holds no struct", spec.Name)
	}
	l = layout{int(s.Size), make(map[string]member)}
	for _, m := range s.Members {
		width, err := btf.Sizeof(m.Type)
		if err != nil {
			return l, fmt.Errorf("map %s: %w", spec.Name, err)
		}
		l.members[m.Name] = member{int(m.Offset.Bytes()), width}
	}
	return l, nil
}

// number is a member of a raw struct; 0 where there is none of that name, of which a test
// takes care.
func (l *layout) number(raw []byte, name string) uint64 {
	m := l.members[name]
	switch e, at := binary.NativeEndian, raw[m.at:]; m.width {
	case 1:
		return uint64(at[0])
	case 2:
		return uint64(e.Uint16(at))
	case 4:
		return uint64(e.Uint32(at))
	case 8:
		return e.Uint64(at)
	}
	return 0
}

// state is what of the maps is read besides the ring buffer.
type state struct {
	inflight, aio, op, queued layout
}

func stateOf(spec *ebpf.CollectionSpec) (s state, err error) {
	for _, m := range []struct {
		to   *layout
		name string
	}{{&s.inflight, "slots"}, {&s.aio, "aios"}, {&s.op, "ops"}, {&s.queued, "queue"}} {
		if *m.to, err = layoutOf(spec.Maps[m.name]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// inside counts the writes that are inside the kernel.
func (s *Session) inside() (uint64, error) {
	shared, err := s.shared()
	if err != nil {
		return 0, err
	}
	n := shared.Displaced
	err = s.eachOwned(func(int) error { n++; return nil })
	return n, err
}

// eachOwned calls f with every slot that holds a write.
func (s *Session) eachOwned(f func(slot int) error) error {
	var owner [4]byte
	l := &s.state.inflight
	for i := range s.nslots {
		if err := s.readSlot(owner[:], i*l.size+l.members["owner"].at); err != nil {
			return err
		}
		if binary.NativeEndian.Uint32(owner[:]) != 0 {
			if err := f(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// readSlot reads what is in the slots at a place.
func (s *Session) readSlot(to []byte, at int) error {
	m, err := s.slots()
	if err == nil {
		_, err = m.ReadAt(to, int64(at))
	}
	if err != nil {
		return fmt.Errorf("read writes inside: %w", err)
	}
	return nil
}

// Inside makes a record of every write that is in the kernel now, see record.StepInside;
// those that hold or do something come before those that are queued for i_rwsem, the oldest
// first, and who else holds that before all. Queued asynchronous writes are among them when
// that is wanted: a map is gone through then, for which the kernel skips probes on that CPU
// at the moment, and counts it.
func (s *Session) Inside(queued bool) ([][]byte, error) {
	shared, err := s.shared()
	if err != nil {
		return nil, err
	}
	var found []record.Write
	take := func(read func([]byte) error) error {
		var w record.Write
		ok, err := s.state.snapshot(&w, read)
		if ok {
			found = append(found, w)
		}
		return err
	}
	err = s.eachOwned(func(i int) error {
		return take(func(raw []byte) error { return s.readSlot(raw, i*len(raw)) })
	})
	if err == nil && shared.Displaced > 0 {
		err = s.eachDisplaced(take)
	}
	if err == nil && queued && shared.AIOs > shared.Marked {
		found, err = s.addQueued(found)
	}
	slices.SortStableFunc(found, func(a, b record.Write) int {
		return cmp.Or(rank(&a)-rank(&b), cmp.Compare(a.T0, b.T0))
	})
	now := clock.Monotonic() // the same for all: who holds the lock does so while others wait
	out, errHolders := s.holdersInside(now)
	for i := range found {
		stayed(&found[i], now)
		out = append(out, found[i].Append(nil))
	}
	return out, errors.Join(err, errHolders)
}

// rank puts those that are queued for the lock behind the others.
func rank(w *record.Write) int {
	if w.Steps[w.NSteps-1].Aux == uint16(record.InsideWait) {
		return 1
	}
	return 0
}

func (s *Session) eachDisplaced(take func(read func([]byte) error) error) error {
	m := s.coll.Maps["displaced"]
	var key [8]byte
	raw := make([]byte, s.state.inflight.size)
	it := m.Iterate()
	for it.Next(&key, &raw) {
		first := slices.Clone(raw)
		err := take(func(to []byte) error {
			copy(to, first)
			return m.Lookup(&key, &first) // it may be over, or go on meanwhile
		})
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("read writes inside: %w", err)
		}
	}
	// So many begin and end that the walk is cut short: what was found is shown.
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("read writes inside: %w", err)
	}
	return nil
}

// addQueued adds the asynchronous writes that have returned, and not completed.
func (s *Session) addQueued(found []record.Write) ([]record.Write, error) {
	known := make(map[uint64]bool)
	for i := range found {
		known[found[i].ID] = true
	}
	var key uint64
	l := &s.state.aio
	raw := make([]byte, l.size)
	get32 := func(name string) uint32 { return uint32(l.number(raw, name)) }
	it := s.coll.Maps["aios"].Iterate()
	for it.Next(&key, &raw) {
		w := record.Write{
			T0: l.number(raw, "t0"), ID: l.number(raw, "id"), Ino: l.number(raw, "ino"), Pos0: l.number(raw, "pos0"),
			Len0: get32("len0"), Dev: get32("dev"), Tgid: get32("tgid"), Tid: get32("tid"), NsTgid: get32("ns_tgid"), NsTid: get32("ns_tid"),
			Generation: get32("generation"), Name: get32("name"),
			Stages: record.StageEntry | record.StageDIO, Ret: queuedRet,
		}
		copy(w.Comm[:], raw[l.members["comm"].at:])
		if known[w.ID] || l.number(raw, "marked") != 0 {
			continue
		}
		stay(&w, record.InsideIO, 0, 0)
		found = append(found, w)
	}
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return found, fmt.Errorf("read asynchronous writes inside: %w", err)
	}
	return found, nil
}

// queuedRet is -EIOCBQUEUED.
const queuedRet = -529

// snapshot reads a struct inflight until it stays as it is while that is done, which one
// that is asleep does. A write that goes on all the time is left as it was read last,
// without the step that may just be written. ok is false when it is over.
func (st *state) snapshot(w *record.Write, read func([]byte) error) (ok bool, err error) {
	const tries = 5
	a, b := make([]byte, st.inflight.size), make([]byte, st.inflight.size)
	same := false
	for range tries {
		if err := read(a); err != nil {
			return false, err
		}
		if err := read(b); err != nil {
			return false, err
		}
		if same = string(a) == string(b); same {
			break
		}
	}
	raw := b
	const kind = uint16(record.KindWrite)
	if e := binary.LittleEndian; e.Uint16(raw[record.AtKind:]) != kind || e.Uint16(raw[record.AtHead:]) != record.HeadSize {
		return false, nil // it has just come
	}
	n := int(raw[record.AtNSteps])
	if !same && n > 0 {
		n--
	}
	n = min(n, record.MaxSteps-1)
	lost := int(raw[record.AtNSteps]) - n
	raw[record.AtNSteps] = uint8(n)
	binary.LittleEndian.PutUint16(raw[record.AtSize:], uint16(record.HeadSize+n*record.StepSize))
	if err := record.ParseWrite(raw, w); err != nil {
		return false, nil // half written
	}
	w.StepsLost = uint8(min(int(w.StepsLost)+lost, 255))
	stage, since, flags := st.stage(raw, w)
	stay(w, stage, since, flags)
	return w.T0 != 0 && w.Stages.Has(record.StageEntry) && !w.Stages.Has(record.StageReturn), nil
}

// stage is where a write is, since when, and the flags of its wait.
func (st *state) stage(raw []byte, w *record.Write) (stage record.InsideStage, since uint64, flags uint32) {
	get := func(name string) uint64 { return st.inflight.number(raw, name) }
	switch phase := record.Phase(get("phase")); {
	case get("wait_t") != 0:
		return record.InsideWait, get("wait_t"), uint32(get("wait_flags"))
	case get("drain_t") != 0:
		return record.InsideDrain, get("drain_t"), 0
	case phase == record.PhaseBuffered:
		return record.InsideBuffered, 0, 0
	case phase == record.PhaseDIO && get("begins") != 0:
		return record.InsideMapping, 0, 0
	case phase == record.PhaseDIO:
		return record.InsideIO, 0, 0
	case get("map") != 0:
		return record.InsideLookup, 0, 0
	case w.Passes > 0:
		return record.InsideChecks, 0, 0
	}
	return record.InsideEntry, 0, 0
}

// stay makes w a record of a write that is inside, since an instant or 0.
func stay(w *record.Write, stage record.InsideStage, since uint64, flags uint32) {
	w.Steps[w.NSteps] = record.Step{Kind: record.StepInside, Aux: uint16(stage), A: since, C: flags}
	w.NSteps++
}

// stayed says for how long it has been inside, and at its stage.
func stayed(w *record.Write, now uint64) {
	w.Latency = now - min(w.T0, now)
	s := &w.Steps[w.NSteps-1]
	s.TUs = uint32(min(w.Latency/1000, 1<<32-1))
	if s.A != 0 {
		s.A = now - min(s.A, now)
	}
}
