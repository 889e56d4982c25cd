package probes

import (
	"fmt"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Options are the choices of the user.
type Options struct {
	Attach      string // auto, session, multi, fentry or kprobe; "" is auto
	RingBytes   int    // ring buffer, bytes; 0: DefaultRing
	MaxInflight int    // writes inside the kernel at once; 0: DefaultInflight
	Filter      Filter
	Tree        bool // only processes given to AddProcess, and their children
}

// Defaults of Options.
const (
	DefaultRing     = 8 << 20
	DefaultInflight = 4096
	InflightLimit   = 1 << 18 // some 400 MB of the kernel's memory
)

// Filter is applied in the kernel; zero fields do not filter.
type Filter struct {
	Pid        uint32 // tgid
	Comm       string
	CgroupID   uint64
	Dev        uint32 // kernel's dev_t: major<<20 | minor
	Ino        uint64
	MinLatency time.Duration // entry to return
	ExcludePid uint32        // tgid
}

// How a probe is attached.
const (
	HowSession = "session" // kprobe.session: entry and return in one
	HowMulti   = "multi"   // kprobe.multi
	HowFentry  = "fentry"  // fentry and fexit
	HowKprobe  = "kprobe"  // kprobe and kretprobe
	HowRawTP   = "raw tracepoint"
)

type ends uint8

const (
	entry ends = 1 << iota
	exit
)

// probe is one line of the table of what we want to see.
type probe struct {
	name     string   // of the programs: kp_NAME, kr_NAME, …
	funcs    []string // the first that is a real symbol is taken
	ends     ends
	stage    record.Stages
	tells    string
	required bool
}

// table lists the probes inside a write in the order in which they are
// attached: the entry of a write comes last, so that a write which is seen at
// all is seen by all of them.
var table = []probe{
	{"pass", []string{"ext4_generic_write_checks"}, entry, record.StagePass, "each pass of the checks under i_rwsem", true},
	{"map", []string{"ext4_map_blocks"}, entry | exit, record.StageLookup, "block lookups of the lock decision, allocations", true},
	{"drain", []string{"inode_dio_wait"}, entry | exit, record.StageDrain, "waiting for direct I/O in flight", true},
	{"file_modified", []string{"file_modified"}, entry, record.StageFmod, "timestamp and privilege update", false},
	{"kiocb_modified", []string{"kiocb_modified"}, entry, record.StageFmod, "timestamp and privilege update", false},
	{"dio", []string{"iomap_dio_rw", "__iomap_dio_rw"}, entry, record.StageDIO, "the decision: lock mode and dio_flags", true},
	{"begin", []string{"ext4_iomap_begin"}, entry | exit, record.StageBegin, "mappings and -EAGAIN of the iomap phase", true},
	{"overwrite_begin", []string{"ext4_iomap_overwrite_begin"}, entry | exit, record.StageBegin, "mappings of overwrites (6.x only)", false},
	{"zero", []string{"iomap_dio_zero"}, entry, record.StageZero, "zeroing of partial blocks", true},
	{"buffered", []string{"ext4_buffered_write_iter"}, entry, record.StageBuffered, "fallback to buffered I/O", true},
	{"copy", []string{"generic_perform_write"}, entry, record.StageCopy, "direct I/O in flight at a buffered copy", false},
	{"sync", []string{"ext4_sync_file"}, exit, 0, "the flush at the end of asynchronous O_DSYNC writes", false},
	{"end_io", []string{"ext4_dio_write_end_io"}, entry | exit, 0, "completion of asynchronous writes", false},
	{"write", []string{"ext4_dio_write_iter", "ext4_file_write_iter"}, entry | exit, record.StageEntry | record.StageReturn, "begin and end of each write", true},
}

// tracepoint is one line of the table of tracepoints.
type tracepoint struct {
	progs []string
	tp    string
	stage record.Stages
	tells string
}

var tracepoints = []tracepoint{
	{[]string{"tp_wait_begin"}, "contention_begin", record.StageWait, "queueing for i_rwsem"},
	{[]string{"tp_wait_end"}, "contention_end", record.StageWait, "queueing for i_rwsem"},
	{[]string{"tp_switch"}, "sched_switch", record.StageSleep, "sleeps of NOWAIT writes"},
}

// PlannedProbe is one probe of a plan: attached how, or why not.
type PlannedProbe struct {
	Name     string   `json:"name"`
	Func     string   `json:"func"`
	How      string   `json:"how"`      // "" when it cannot be attached
	Programs []string `json:"programs"` // of the BPF object
	Why      string   `json:"why"`      // why so, or why not
	Tells    string   `json:"tells"`    // what is unknown without it
	Required bool     `json:"required"` // no verdict without it

	ends  ends
	stage record.Stages
}

// Attached reports whether the probe is to be attached.
func (p *PlannedProbe) Attached() bool { return p.How != "" }

// Plan says for one kernel which probe is attached how.
type Plan struct {
	Mode   string         `json:"mode"` // Options.Attach, decided
	Why    string         `json:"why"`
	Probes []PlannedProbe `json:"probes"`
	// Unattached holds the stages that no probe reports; what they tell is
	// unknown of every write.
	Unattached record.Stages `json:"unattached"`
}

// MakePlan chooses the probes for a kernel. It depends on its arguments only.
// The error is *UnfitError when the kernel cannot be traced.
func MakePlan(f *Facts, o Options) (*Plan, error) {
	if err := fit(f); err != nil {
		return nil, err
	}
	mode, why, err := chooseMode(f, o.Attach)
	if err != nil {
		return nil, err
	}
	p := &Plan{Mode: mode, Why: why}
	for _, t := range table {
		if !t.required && !f.Funcs[t.funcs[0]].Symbol && t.name == "overwrite_begin" {
			continue // this kernel has no such operation
		}
		p.Probes = append(p.Probes, planProbe(f, mode, t))
	}
	for _, t := range tracepoints {
		if t.tp == "sched_switch" {
			t.tells = sleepTells(f)
		}
		p.Probes = append(p.Probes, planTracepoint(f, t))
	}
	if o.Tree {
		p.Probes = append(p.Probes, planTracepoint(f, tracepoint{
			[]string{"tp_fork"}, "sched_process_fork", 0, "children of the traced command"}))
	}
	p.Unattached = unattached(p.Probes)
	for i := range p.Probes {
		if pp := &p.Probes[i]; pp.Required && !pp.Attached() {
			return p, &UnfitError{
				Msg:  fmt.Sprintf("cannot probe %s (%s): %s", pp.Func, pp.Tells, pp.Why),
				Hint: "see all probes with: ext4dio-trace doctor",
			}
		}
	}
	return p, nil
}

// unattached collects the stages of which no probe is attached.
func unattached(probes []PlannedProbe) record.Stages {
	var have, want record.Stages
	for i := range probes {
		want |= probes[i].stage
		if probes[i].Attached() {
			have |= probes[i].stage
		}
	}
	return want &^ have
}

func fit(f *Facts) error {
	switch {
	case !f.Root:
		return &UnfitError{Msg: "tracing needs root, or CAP_BPF with CAP_PERFMON", Hint: "sudo ext4dio-trace live"}
	case f.Lockdown == "confidentiality":
		return &UnfitError{Msg: "kernel lockdown is in confidentiality mode, which forbids reading kernel memory from BPF", Hint: vmHint}
	case f.Ext4 == "":
		return &UnfitError{Msg: "ext4 is not in this kernel, or its module is not loaded", Hint: "sudo modprobe ext4; or " + vmHint}
	case !f.BTF:
		return &UnfitError{Msg: "this kernel has no BTF type information (CONFIG_DEBUG_INFO_BTF)", Hint: vmHint}
	}
	return nil
}

// chooseMode picks the way of attaching that loses nothing on this kernel, or
// checks the forced one.
func chooseMode(f *Facts, force string) (mode, why string, err error) {
	session := f.KprobeSession && f.Funcs["bpf_session_is_return"].Params == 1
	can := map[string]bool{
		HowSession: session,
		HowMulti:   f.KprobeMulti,
		HowFentry:  f.BTF,
		HowKprobe:  f.Kprobes,
	}
	if force != "" && force != "auto" {
		ok, known := can[force]
		if !known {
			return "", "", &UsageError{Msg: fmt.Sprintf("unknown way to attach %q", force), Hint: "--attach auto, session, multi, fentry or kprobe"}
		}
		if !ok {
			return "", "", &UnfitError{Msg: fmt.Sprintf("this kernel cannot attach by %s", force), Hint: "leave --attach away, or see: ext4dio-trace doctor"}
		}
		return force, "forced", nil
	}
	switch {
	case f.FprobeGraph && session:
		return HowSession, "returns are kept on each task's shadow stack, none is missed", nil
	case f.FprobeGraph && f.KprobeMulti:
		return HowMulti, "returns are kept on each task's shadow stack, none is missed", nil
	case f.BTF && (f.Preempt == "none" || f.Preempt == "voluntary"):
		return HowFentry, "return probes of this kernel have few instances; trampolines have none to run out of, and " + f.Preempt + " preemption cannot skip them", nil
	case f.BTF:
		return HowFentry, "return probes of this kernel have few instances; a program that is preempted inside itself is skipped and counted", nil
	case f.Kprobes:
		return HowKprobe, "no other way on this kernel; returns beyond the instances of a kretprobe are missed and counted", nil
	}
	return "", "", &UnfitError{Msg: "this kernel has neither kprobes (CONFIG_KPROBES) nor BTF trampolines", Hint: vmHint}
}

func planProbe(f *Facts, mode string, t probe) PlannedProbe {
	p := PlannedProbe{Name: t.name, Tells: t.tells, Required: t.required, ends: t.ends, stage: t.stage}
	for _, name := range t.funcs {
		p.Func = name
		if f.Funcs[name].Symbol {
			break
		}
	}
	fn := f.Funcs[p.Func]
	switch {
	case !fn.Symbol && fn.Suffix:
		p.Why = "the compiler changed its arguments (.isra, .constprop or .part)"
		return p
	case !fn.Symbol:
		p.Why = "no such symbol: inlined, or not in this kernel"
		return p
	}
	p.How, p.Why = chooseHow(f, mode, fn, t)
	p.Programs = programs(p.How, t)
	return p
}

// chooseHow decides for one function within the mode chosen for all.
func chooseHow(f *Facts, mode string, fn Func, t probe) (how, why string) {
	if t.name == "end_io" && fn.BTF {
		return HowFentry, "runs in interrupts, too: several programs, of which one interrupted leaves the others"
	}
	switch mode {
	case HowFentry:
		switch {
		case t.ends == entry && fn.Params > 6 && f.Kprobes:
			return HowKprobe, "has more than six arguments, which not every kernel's trampolines take; an entry alone misses nothing"
		case fn.BTF:
			return HowFentry, ""
		case f.Kprobes:
			return HowKprobe, "has no BTF"
		}
		return "", "has no BTF, and this kernel has no kprobes"
	case HowSession:
		if t.ends != entry|exit {
			return HowMulti, ""
		}
	}
	return mode, ""
}

// programs names the programs of the BPF object for a probe.
func programs(how string, t probe) []string {
	in, out := "", ""
	switch how {
	case HowSession:
		return []string{"ks_" + t.name}
	case HowFentry:
		in, out = "fe_", "fx_"
	default:
		in, out = "kp_", "kr_"
	}
	if t.name == "end_io" {
		if how != HowFentry {
			return []string{"kp_end_io"} // its arguments are enough
		}
		return []string{"fx_end_io", "fx_end_io_2", "fx_end_io_3", "fe_end_io"}
	}
	var ps []string
	// The return first: a return without its entry is ignored.
	if t.ends&exit != 0 {
		ps = append(ps, out+t.name)
	}
	if t.ends&entry != 0 {
		ps = append(ps, in+t.name)
	}
	return ps
}

func planTracepoint(f *Facts, t tracepoint) PlannedProbe {
	p := PlannedProbe{Name: strings.TrimPrefix(t.progs[0], "tp_"), Func: t.tp, Tells: t.tells, stage: t.stage, ends: entry}
	if !f.Tracepoints[t.tp] {
		p.Why = "no such tracepoint in this kernel"
		return p
	}
	p.How, p.Programs = HowRawTP, t.progs
	return p
}
