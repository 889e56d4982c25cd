package probes

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The table of fields has what clang made of the C structs: every member
// at its place, and nothing else. Package record tests that Go reads what the table says.
func TestRecordLayout(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	inflight := structOf(t, spec.Types, "inflight")
	steps, ok := inflight.Members[1].Type.(*btf.Array)
	if first := inflight.Members[0].Type.TypeName(); first != "write_rec" || !ok || inflight.Members[1].Offset.Bytes() != record.HeadSize || steps.Nelems != record.MaxSteps {
		t.Fatalf("struct inflight must begin with its record and %d steps, has %v", record.MaxSteps, inflight.Members[:2])
	}
	for name, want := range map[string]struct {
		size   int
		fields []record.Field
	}{
		"write_rec":    {record.HeadSize, record.Fields[record.Write]()},
		"step":         {record.StepSize, record.Fields[record.Step]()},
		"complete_rec": {record.CompleteSize, record.Fields[record.Complete]()},
		"counters":     {record.NumCounters * 8, record.Fields[record.Counters]()},
	} {
		c := structOf(t, spec.Types, name)
		if int(c.Size) != want.size {
			t.Errorf("%s: C has %d bytes, Go %d", name, c.Size, want.size)
		}
		for _, m := range c.Members {
			width, err := btf.Sizeof(m.Type)
			if err != nil {
				t.Fatal(err)
			}
			plain := strings.ReplaceAll(m.Name, "_", "")
			known := slices.ContainsFunc(want.fields, func(f record.Field) bool {
				return strings.EqualFold(f.Go, plain) && f.At == int(m.Offset.Bytes()) && f.Width == width
			})
			if frame := m.Name == "kind" || m.Name == "size" || strings.HasPrefix(m.Name, "pad"); !known && !frame {
				t.Errorf("%s.%s at %d is not in the table", name, m.Name, m.Offset.Bytes())
			}
		}
		if len(want.fields) > len(c.Members) {
			t.Errorf("%s: C has %d members, the table %d fields", name, len(c.Members), len(want.fields))
		}
	}
	if cpu := structOf(t, spec.Types, "cpu_state"); cpu.Size != cpuStateSize || cpu.Members[0].Type.TypeName() != "counters" {
		t.Errorf("cpu_state: C has %d bytes, Go %d", cpu.Size, cpuStateSize)
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
	for _, p := range append(slices.Clone(table), fullTable()...) {
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

func fullTable() (out []probe) {
	for i := range table {
		out = append(out, *table[i].inFull(timed | held))
	}
	return out
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
	st, err := stateOf(spec)
	if err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]struct {
		layout
		names []string
	}{
		"inflight": {st.inflight, []string{"owner", "phase", "wait_t", "wait_flags", "drain_t", "begins", "map"}},
		"aio":      {st.aio, []string{"id", "t", "ret", "marked", "t0", "ino", "pos0", "len0", "dev", "tgid", "tid", "ns_tgid", "ns_tid", "generation", "name", "comm"}},
		"op":       {st.op, []string{"owner", "unsent", "drain_t", "wait_t"}},
		"queued":   {st.queued, []string{"tid"}},
	} {
		if c := structOf(t, spec.Types, what); int(c.Size) != read.size || read.size%8 != 0 {
			t.Errorf("struct %s: C has %d bytes, Go %d", what, c.Size, read.size)
		}
		for _, name := range read.names {
			if read.members[name].width == 0 {
				t.Errorf("struct %s has no member %s, which Go reads", what, name)
			}
		}
	}
	if size := structOf(t, spec.Types, "shared").Size; int(size) != binary.Size(sharedCounters{}) {
		t.Errorf("struct shared: C has %d bytes, Go %d", size, binary.Size(sharedCounters{}))
	}
}
