package decode_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// A script is a raw record in words, one step a line:
//
//	entry    pos=N len=N isize=N [caller=C] [nowait] [append] [atomic] [dsync] [id=N] [bits=N] [t0=NS] [ino=N] [dev=N] [tid=N]
//	pass     shared|exclusive [pos=N] [count=N] [isize=N] [disksize=N] [mem=N] [insecure] [indirect] [dax] …
//	lookup   lblk len = ret written|unwritten|hole|delayed [flags=N]
//	drain    [waited] [buffered]
//	fmod     file|kiocb [ret=N]
//	dio      shared|exclusive [wait] [ops=iomap|overwrite]
//	map      pos len mapped|unwritten|hole [new] [alloc=N] [overwrite]
//	map      error=N [alloc=N] [looked=FLAGS found=RET]
//	zero     pos len shared|exclusive mapped|unwritten [new] [count=N]
//	buffered pos len [inline]
//	copy     [count=N] [pos=N]
//	wait     ns
//	sleep    ns [for=CAUSE] [phase=check|dio|buffered]
//	sleeps   N ns [for=CAUSE] [phase=check|dio|buffered]     N sleeps, summed up
//	unmoved  pos wanted
//	return   ret
//	complete ret [id=N] [early]
//	maps     N bytes mapped|unwritten|hole [new] [alloc=N] [overwrite] [beyond] [gap]     N mappings, summed up
//	but      without=STAGE … [lost=N] [cut=N] [broken]      spoils the record
//
// The stages follow from the steps. Numbers that are left out come from the line
// "entry". Every line can say at=US: microseconds since the entry.
type script struct {
	w     record.Write
	c     *record.Complete
	early bool // the completion comes first
	copy  int64
}

// numbers and words of one line.
type line struct {
	verb  string
	plain []string
	keys  map[string]string
}

func splitLine(text string) line {
	l := line{keys: map[string]string{}}
	for i, f := range strings.Fields(text) {
		key, val, found := strings.Cut(f, "=")
		switch {
		case i == 0:
			l.verb = f
		case found && key != "" && val != "":
			l.keys[key] = val
		case f != "=":
			l.plain = append(l.plain, f)
		}
	}
	return l
}

func (l line) has(word string) bool {
	for _, p := range l.plain {
		if p == word {
			return true
		}
	}
	return false
}

func (l line) num(t testing.TB, key string, otherwise int64) int64 {
	val, ok := l.keys[key]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(val, 0, 64)
	if err != nil {
		t.Fatalf("%s: %v", l.verb, err)
	}
	return n
}

// nth is the i-th plain word as a number.
func (l line) nth(t testing.TB, i int) int64 {
	if i >= len(l.plain) {
		t.Fatalf("%s: want %d numbers", l.verb, i+1)
	}
	n, err := strconv.ParseInt(l.plain[i], 0, 64)
	if err != nil {
		t.Fatalf("%s: %v", l.verb, err)
	}
	return n
}

var callers = map[string]record.Caller{
	"sync": record.CallerSync, "libaio": record.CallerLibaio,
	"io_uring": record.CallerIOUring, "unknown": record.CallerUnknown,
}

var stageByName = map[string]record.Stages{
	"entry": record.StageEntry, "pass": record.StagePass, "lookup": record.StageLookup,
	"drain": record.StageDrain, "fmod": record.StageFmod, "dio": record.StageDIO,
	"begin": record.StageBegin, "zero": record.StageZero, "buffered": record.StageBuffered,
	"copy": record.StageCopy, "return": record.StageReturn, "align": record.StageAlign,
	"lock": record.StageLock,
}

var iomapTypes = map[string]uint16{
	"hole": model.IomapHole, "delalloc": model.IomapDelalloc,
	"mapped": model.IomapMapped, "unwritten": model.IomapUnwritten,
}

// parseScript reads the records of one block of lines.
func parseScript(t testing.TB, text string) *script {
	s := &script{w: record.Write{T0: 1000, ID: 1, Blkbits: 12, Caller: record.CallerSync, Tgid: 7, Tid: 7, Ino: 12, Latency: 500}}
	copy(s.w.Comm[:], "writer")
	s.w.Stages = record.StageEntry | record.StageAlign | record.StageLock
	for _, row := range strings.Split(strings.TrimSpace(text), "\n") {
		if row = strings.TrimSpace(row); row != "" {
			l, n := splitLine(row), s.w.NSteps
			s.add(t, l)
			s.stamp(t, l, n)
		}
	}
	return s
}

func (s *script) step(st record.Step) *record.Step {
	if s.w.NSteps == record.MaxSteps {
		s.w.StepsLost++
		return &record.Step{}
	}
	s.w.Steps[s.w.NSteps] = st
	s.w.NSteps++
	return &s.w.Steps[s.w.NSteps-1]
}

// stamp gives the steps from n on, and the record, the time of the line.
func (s *script) stamp(t testing.TB, l line, n int) {
	us := l.num(t, "at", -1)
	if us < 0 {
		return
	}
	for i := n; i < s.w.NSteps; i++ {
		s.w.Steps[i].TUs = uint32(us)
	}
	switch l.verb {
	case "complete":
		s.c.T = s.w.T0 + uint64(us)*1000
	case "return":
		s.w.Latency = uint64(us) * 1000
	default:
		s.w.Latency = max(s.w.Latency, uint64(us)*1000+500)
	}
}

func lockWord(l line) record.Lock {
	switch {
	case l.has("shared"):
		return record.LockShared
	case l.has("exclusive"):
		return record.LockExclusive
	}
	return record.LockUnknown
}

func (s *script) add(t testing.TB, l line) {
	w := &s.w
	switch l.verb {
	case "entry":
		s.addEntry(t, l)
	case "pass":
		s.addPass(t, l)
	case "lookup":
		w.Stages |= record.StageLookup
		flags := map[string]uint64{"written": model.MapMapped, "unwritten": model.MapUnwritten, "delayed": model.MapDelayed}
		ret := l.nth(t, 2)
		st := record.Step{Kind: record.StepLookup, C: uint32(l.nth(t, 0)), D: uint32(l.nth(t, 1))}
		st.A = uint64(uint32(ret)) | flags[l.plain[len(l.plain)-1]]<<32
		st.B = uint64(uint32(ret)) | uint64(l.num(t, "flags", 0))<<32
		s.step(st)
	case "drain":
		st := record.Step{Kind: record.StepDrain, A: 1000}
		if l.has("waited") {
			st.Aux, st.C = record.DrainWaited, 1
		}
		if l.has("buffered") {
			st.Aux |= record.DrainBuffered
		} else {
			w.Stages |= record.StageDrain
		}
		s.step(st)
	case "fmod":
		w.Stages |= record.StageFmod
		w.Fmod = record.FmodFile
		if l.has("kiocb") {
			w.Fmod = record.FmodKiocb
		}
	case "dio":
		w.Stages |= record.StageDIO
		w.Lock = lockWord(l)
		if l.has("wait") {
			w.DioFlags = model.DioForceWait
		}
		w.DioOps = map[string]record.Ops{"iomap": record.OpsIomap, "overwrite": record.OpsOverwrite}[l.keys["ops"]]
	default:
		s.addLate(t, l)
	}
}

// addLate adds what follows iomap_dio_rw.
func (s *script) addLate(t testing.TB, l line) {
	w := &s.w
	switch l.verb {
	case "map":
		w.Stages |= record.StageBegin
		st := record.Step{Kind: record.StepMap}
		if l.has("overwrite") {
			st.Aux |= record.MapOverwrite
		}
		st.D = uint32(l.num(t, "alloc", 0))
		if err := l.num(t, "error", 0); err != 0 {
			st.Aux |= record.MapFailed
			st.A = uint64(err)
		} else {
			st.A, st.B = uint64(l.nth(t, 0)), uint64(l.nth(t, 1))
			st.C = s.mapping(t, l)
		}
		if _, ok := l.keys["looked"]; ok {
			s.packLookup(t, l, &st)
		}
		s.step(st)
	case "maps":
		w.Stages |= record.StageBegin
		st := record.Step{
			Kind: record.StepMaps, A: uint64(l.nth(t, 0)) | uint64(l.num(t, "looked", 0))<<32, B: uint64(l.nth(t, 1)),
			C: s.mapping(t, l), D: uint32(l.num(t, "alloc", 0)),
		}
		for word, bit := range map[string]uint16{"overwrite": record.MapOverwrite, "looked": record.MapLookup, "found": record.MapFound, "beyond": record.MapBeyond, "gap": record.MapGap} {
			if _, ok := l.keys[word]; ok || l.has(word) {
				st.Aux |= bit
			}
		}
		s.step(st)
	case "zero":
		w.Stages |= record.StageZero
		s.step(record.Step{
			Kind: record.StepZero, Lock: lockWord(l), A: uint64(l.nth(t, 0)), B: uint64(l.nth(t, 1)),
			C: uint32(l.num(t, "count", 1)), D: s.mapping(t, l),
		})
	case "buffered":
		w.Stages |= record.StageBuffered
		s.copy = l.nth(t, 0)
		st := record.Step{Kind: record.StepBuffered, A: uint64(s.copy), C: uint32(l.nth(t, 1))}
		if slices.Contains(l.plain, "inline") {
			st.Aux = record.BufFacts | record.PassInline
		}
		s.step(st)
	case "copy":
		w.Stages |= record.StageCopy
		s.step(record.Step{Kind: record.StepCopy, A: uint64(l.num(t, "pos", s.copy)), D: uint32(l.num(t, "count", 0))})
	case "wait":
		w.Stages |= record.StageWait
		s.step(record.Step{Kind: record.StepWait, A: uint64(l.nth(t, 0))})
	case "sleep":
		w.Stages |= record.StageSleep
		s.step(record.Step{Kind: record.StepSleep, A: uint64(l.nth(t, 0)), Aux: sleepPhase(l), D: uint32(causeWord(t, l))})
	case "sleeps":
		w.Stages |= record.StageSleep
		s.step(record.Step{Kind: record.StepSleeps, C: uint32(l.nth(t, 0)), A: uint64(l.nth(t, 1)), B: 1 << (16*uint(sleepPhase(l)) + uint(causeWord(t, l)))})
	case "unmoved":
		s.step(record.Step{Kind: record.StepUnmoved, A: uint64(l.nth(t, 0)), B: uint64(l.nth(t, 1))})
	case "return":
		w.Stages |= record.StageReturn
		w.Ret = int32(l.nth(t, 0))
	case "complete":
		s.c = &record.Complete{ID: uint64(l.num(t, "id", int64(w.ID))), T: 5000, Ret: l.nth(t, 0)}
		s.early = l.has("early")
	case "but":
		for _, name := range strings.Split(l.keys["without"], ",") {
			w.Stages &^= stageByName[name]
		}
		w.StepsLost = uint8(l.num(t, "lost", int64(w.StepsLost)))
		w.Cut = uint8(l.num(t, "cut", int64(w.Cut)))
		if l.has("broken") {
			w.Stages |= record.StageBroken
		}
	default:
		t.Fatalf("unknown line %q", l.verb)
	}
}

// packLookup adds the lookup that "looked=FLAGS found=RET" tells to a mapping.
func (s *script) packLookup(t testing.TB, l line, st *record.Step) {
	if st.Aux&record.MapFailed == 0 {
		st.A >>= s.w.Blkbits
		st.B >>= s.w.Blkbits
	}
	st.Aux |= record.MapLookup
	st.A = uint64(uint32(st.A)) | uint64(l.num(t, "looked", 0))<<32
	st.B = uint64(uint32(st.B)) | uint64(uint32(l.num(t, "found", 0)))<<32
}

func sleepPhase(l line) uint16 {
	phases := map[string]record.Phase{"": record.PhaseDIO, "check": record.PhaseCheck, "dio": record.PhaseDIO, "buffered": record.PhaseBuffered}
	return uint16(phases[l.keys["phase"]])
}

func causeWord(t testing.TB, l line) record.SleepCause {
	name, ok := l.keys["for"]
	for c := range record.SleepCause(record.NumSleepCauses) {
		if c.String() == name || !ok {
			return c
		}
	}
	t.Fatalf("sleep for %q: no such cause", name)
	return 0
}

func (s *script) mapping(t testing.TB, l line) uint32 {
	for _, word := range l.plain {
		if typ, ok := iomapTypes[word]; ok {
			flags := uint32(0)
			if l.has("new") {
				flags = model.IomapFNew
			}
			return uint32(typ) | flags<<16
		}
	}
	t.Fatalf("%s: no mapping type", l.verb)
	return 0
}

func (s *script) addEntry(t testing.TB, l line) {
	w := &s.w
	w.Pos0, w.Len0, w.ISize0 = uint64(l.num(t, "pos", 0)), uint32(l.num(t, "len", 0)), uint64(l.num(t, "isize", 0))
	w.ID = uint64(l.num(t, "id", 1))
	w.Blkbits = uint8(l.num(t, "bits", 12))
	w.T0 = uint64(l.num(t, "t0", 1000))
	w.Ino, w.Dev = uint64(l.num(t, "ino", 12)), uint32(l.num(t, "dev", 0))
	w.Tid = uint32(l.num(t, "tid", 7))
	if c, ok := l.keys["caller"]; ok {
		w.Caller = callers[c]
	}
	if l.has("nowait") {
		w.KiFlags |= model.IocbNowait
	}
	if l.has("dsync") {
		w.KiFlags |= 0x2 | 0x4 // IOCB_DSYNC, IOCB_SYNC
	}
	if l.has("append") {
		w.KiFlags |= model.IocbAppend
	}
	if l.has("atomic") {
		w.KiFlags |= model.IocbAtomic
	}
}

func (s *script) addPass(t testing.TB, l line) {
	w := &s.w
	w.Stages |= record.StagePass
	w.Passes++
	count := l.num(t, "count", int64(w.Len0))
	isize := l.num(t, "isize", int64(w.ISize0))
	st := s.step(record.Step{
		Kind: record.StepPass, Lock: lockWord(l), Aux: record.PassNosec | record.PassExtents | record.PassAlign,
		A: uint64(l.num(t, "pos", int64(w.Pos0))), B: uint64(isize), C: uint32(count),
		D: uint32(l.num(t, "mem", 0)) | uint32(count)&0x1ffff,
	})
	for word, bit := range map[string]uint16{"insecure": record.PassNosec, "indirect": record.PassExtents, "unaligned?": record.PassAlign} {
		if l.has(word) {
			st.Aux &^= bit
		}
	}
	if l.has("dax") {
		st.Aux |= record.PassDAX
	}
	if disk := l.num(t, "disksize", isize); disk != isize {
		st.Aux |= record.PassDisksize
		s.step(record.Step{Kind: record.StepDisksize, A: uint64(disk)})
	}
	if a, ok := l.keys["align0"]; ok {
		n, err := strconv.ParseUint(a, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		s.step(record.Step{Kind: record.StepAlign, Aux: record.AlignEntry, C: uint32(n)})
	}
}

// raw is the stream of the script.
func (s *script) raw() [][]byte {
	w := s.w.Append(nil)
	switch {
	case s.c == nil:
		return [][]byte{w}
	case s.early:
		return [][]byte{s.c.Append(nil), w}
	default:
		return [][]byte{w, s.c.Append(nil)}
	}
}

// verdictText is a verdict as the tests show it.
func verdictText(v *judge.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", v.Kind, strings.Join(v.Why(), "\n  "))
	if v.Rules != 0 {
		fmt.Fprintf(&b, "  rules %s\n", v.Rules)
	}
	if v.Hazards != 0 {
		fmt.Fprintf(&b, "  hazards %s\n", v.Hazards)
	}
	return b.String()
}
