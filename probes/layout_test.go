package probes

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The C structs, as clang laid them out, and the Go that reads them agree: a
// value is written at each C offset, and must come out in the Go field.
func TestRecordLayout(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	inflight := structOf(t, spec.Types, "inflight")
	head, ok := inflight.Members[0].Type.(*btf.Struct)
	if !ok || head.Name != "write_rec" || inflight.Members[0].Offset != 0 {
		t.Fatalf("struct inflight must begin with its record, has %v", inflight.Members[0])
	}
	steps := inflight.Members[1]
	arr, ok := steps.Type.(*btf.Array)
	if !ok || steps.Offset.Bytes() != record.HeadSize || arr.Nelems != record.MaxSteps {
		t.Fatalf("struct inflight must go on with %d steps at %d, has %v at %d", record.MaxSteps, record.HeadSize, steps.Type, steps.Offset.Bytes())
	}
	if head.Size != record.HeadSize {
		t.Errorf("write_rec: C has %d bytes, Go %d", head.Size, record.HeadSize)
	}
	fields := map[string]string{
		"t0": "T0", "latency": "Latency", "id": "ID", "ino": "Ino", "pos0": "Pos0",
		"isize0": "ISize0", "tgid": "Tgid", "tid": "Tid", "comm": "Comm", "dev": "Dev",
		"ki_flags": "KiFlags", "len0": "Len0", "ret": "Ret", "wait_ns": "WaitNs",
		"dio_us": "DioUs", "lost_before": "LostBefore", "steps_lost": "StepsLost",
		"passes": "Passes", "blkbits": "Blkbits", "caller": "Caller", "iter_type": "IterType",
		"depth": "Depth", "lock": "Lock", "dio_flags": "DioFlags", "dio_ops": "DioOps",
		"fmod": "Fmod", "nr_segs": "NrSegs", "stages": "Stages",
		"size": "Size", "nsteps": "NSteps", "kind": "", "pad": "",
	}
	for _, m := range head.Members {
		name, known := fields[m.Name]
		if !known {
			t.Errorf("write_rec.%s has no Go field", m.Name)
		}
		if name == "" {
			continue
		}
		switch m.Name {
		case "size", "nsteps":
			continue // other values are refused; covered by the round trip of package record
		}
		raw := (&record.Write{}).Append(nil)
		raw[m.Offset.Bytes()] = 0x2a
		var w record.Write
		if err := record.ParseWrite(raw, &w); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		v := reflect.ValueOf(w).FieldByName(name)
		if v.Kind() == reflect.Array {
			v = v.Index(0)
		}
		if got := asUint(v); got != 0x2a {
			t.Errorf("write_rec.%s at %d: Go field %s reads %#x", m.Name, m.Offset.Bytes(), name, got)
		}
		delete(fields, m.Name)
	}
	for name, goName := range fields {
		if goName != "" && name != "size" && name != "nsteps" {
			t.Errorf("write_rec has no %s for Go's %s", name, goName)
		}
	}
	stepLayout(t, arr.Type.(*btf.Struct))
}

func stepLayout(t *testing.T, step *btf.Struct) {
	if step.Size != record.StepSize {
		t.Errorf("step: C has %d bytes, Go %d", step.Size, record.StepSize)
	}
	fields := map[string]string{"kind": "Kind", "lock": "Lock", "aux": "Aux", "t_us": "TUs", "a": "A", "b": "B", "c": "C", "d": "D"}
	for _, m := range step.Members {
		w := record.Write{NSteps: 1}
		raw := w.Append(nil)
		raw[record.HeadSize+m.Offset.Bytes()] = 0x2a
		if err := record.ParseWrite(raw, &w); err != nil {
			t.Fatal(err)
		}
		if got := asUint(reflect.ValueOf(w.Steps[0]).FieldByName(fields[m.Name])); got != 0x2a {
			t.Errorf("step.%s at %d: Go reads %#x", m.Name, m.Offset.Bytes(), got)
		}
	}
	if len(step.Members) != len(fields) {
		t.Errorf("step: C has %d members, Go %d", len(step.Members), len(fields))
	}
}

func asUint(v reflect.Value) uint64 {
	if v.CanInt() {
		return uint64(v.Int())
	}
	return v.Uint()
}

// The counters are read as an array of numbers, in the order of the C struct.
func TestCounterLayout(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	cpu := structOf(t, spec.Types, "cpu_state")
	if cpu.Size != cpuStateSize {
		t.Errorf("cpu_state: C has %d bytes, Go %d", cpu.Size, cpuStateSize)
	}
	c := cpu.Members[0].Type.(*btf.Struct)
	if len(c.Members) != record.NumCounters {
		t.Fatalf("counters: C has %d, Go %d", len(c.Members), record.NumCounters)
	}
	var v [record.NumCounters]uint64
	for i := range v {
		v[i] = uint64(i + 1)
	}
	got := reflect.ValueOf(record.CountersFrom(v))
	for i, m := range c.Members {
		name := strings.ReplaceAll(m.Name, "_", "")
		f := got.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
		if !f.IsValid() || f.Uint() != uint64(i+1) {
			t.Errorf("counter %d is %s in C; Go has %v there", i, m.Name, f)
		}
	}
}

func structOf(t *testing.T, spec *btf.Spec, name string) *btf.Struct {
	t.Helper()
	var s *btf.Struct
	if err := spec.TypeByName(name, &s); err != nil {
		t.Fatalf("struct %s: %v", name, err)
	}
	return s
}

// Every program that a plan can name is in the object, and nothing else is.
func TestPrograms(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, p := range table {
		for _, how := range []string{HowSession, HowMulti, HowFentry, HowKprobe, HowRawTP} {
			if how == HowSession && (p.ends != entry|exit || p.name == "end_io") || p.is(tracepoint) != (how == HowRawTP) {
				continue
			}
			for _, name := range programs(how, &p) {
				want[name] = true
			}
		}
	}
	for name := range want {
		if spec.Programs[name] == nil {
			t.Errorf("a plan can name %s, the object has no such program", name)
		}
	}
	for name := range spec.Programs {
		if !want[name] {
			t.Errorf("no plan ever uses program %s", name)
		}
	}
}

// The causes of sleeps and the kinds of frames have the numbers of the C enums.
func TestSleepLayout(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	causes := enumOf(t, spec.Types, "sleep_cause")
	if len(causes) != record.NumSleepCauses {
		t.Errorf("C has %d causes of sleeps, Go %d", len(causes), record.NumSleepCauses)
	}
	plain := strings.NewReplacer("SLEEP_", "", "OWN_IO", "own-io", "DIO_QUEUE", "dio-workqueue",
		"USER_PAGES", "user-pages", "BLOCK", "block-layer")
	for name, v := range causes {
		if got := record.SleepCause(v).String(); !strings.EqualFold(got, plain.Replace(name)) {
			t.Errorf("%s is %d in C, which Go calls %q", name, v, got)
		}
	}
	want := map[string]uint64{"FRAME_OTHER": 0, "FRAME_SCHED": uint64(frameSched), "FRAME_IOMAP": uint64(frameIomap), "FRAME_WRITE": uint64(frameWrite)}
	if got := enumOf(t, spec.Types, "frame"); !reflect.DeepEqual(got, want) {
		t.Errorf("frames: C has %v, Go %v", got, want)
	}
	if got, want := spec.Variables["spans"].Size(), uint32(reflect.TypeFor[[maxSpans]span]().Size()); got != want {
		t.Errorf("spans: C has %d bytes, Go %d", got, want)
	}
	s := structOf(t, spec.Types, "span")
	for i, f := range []string{"start", "len", "frame"} {
		if m := s.Members[i]; m.Name != f || uintptr(m.Offset.Bytes()) != reflect.TypeFor[span]().Field(i).Offset {
			t.Errorf("span: C has %s at %d, Go %s", m.Name, m.Offset.Bytes(), f)
		}
	}
}

func enumOf(t *testing.T, spec *btf.Spec, name string) map[string]uint64 {
	t.Helper()
	var e *btf.Enum
	if err := spec.TypeByName(name, &e); err != nil {
		t.Fatalf("enum %s: %v", name, err)
	}
	out := map[string]uint64{}
	for _, v := range e.Values {
		out[v.Name] = v.Value
	}
	return out
}

// What Go reads of the slots lies where C has it.
func TestSlotLayout(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	slot := structOf(t, spec.Types, "inflight")
	if slot.Size != slotSize {
		t.Errorf("struct inflight: C has %d bytes, Go %d", slot.Size, slotSize)
	}
	for _, m := range slot.Members {
		if m.Name == "owner" && m.Offset.Bytes() != slotOwner {
			t.Errorf("inflight.owner: C has it at %d, Go at %d", m.Offset.Bytes(), slotOwner)
		}
	}
	if size := structOf(t, spec.Types, "shared").Size; int(size) != binary.Size(sharedCounters{}) {
		t.Errorf("struct shared: C has %d bytes, Go %d", size, binary.Size(sharedCounters{}))
	}
}
