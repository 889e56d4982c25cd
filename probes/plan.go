package probes

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/record"
)

// vmHint is what to type where this very kernel cannot be traced.
const vmHint = "trace inside a virtual machine instead: ext4dio-trace vm -- live"

// Options are the choices of the user.
type Options struct {
	Attach      string // auto, session, multi, fentry or kprobe; "" is auto
	RingBytes   int    // ring buffer, bytes; 0: DefaultRing
	MaxInflight int    // writes inside the kernel at once; 0: DefaultInflight
	Holders     string // of i_rwsem that make no recorded write: auto, all or off; "" is auto
	Filter      Filter
	Tree        bool // only processes given to AddProcess, and their children
	Budget      bool // the time of each write in parts
	Sample      record.Sample
}

// Defaults of Options.
const (
	DefaultRing     = 8 << 20
	DefaultInflight = 4096
	MaxInflight     = 1 << 18 // some 400 MB of the kernel's memory
)

// Values of Options.Holders.
const (
	HoldersAuto = "auto" // those for whom a recorded write waited
	HoldersAll  = "all"  // all on files to which recorded writes go
	HoldersOff  = "off"
)

// HoldersWays are the values of Options.Holders.
var HoldersWays = []string{HoldersAuto, HoldersAll, HoldersOff}

// holders is Options.Holders as the BPF programs have it.
func (o *Options) holders() (uint32, error) {
	switch o.Holders {
	case "", HoldersAuto:
		return 1, nil
	case HoldersAll:
		return 2, nil
	case HoldersOff:
		return 0, nil
	}
	return 0, hint.Usagef("--holders auto, all or off", "unknown holders %q", o.Holders)
}

// Filter is applied in the kernel; zero fields do not filter.
type Filter struct {
	Pid    uint32 // a process, as this one sees it from its pid namespace
	Comm   string
	Cgroup string // folder of a cgroup of version 2; those below it are in it
	Dev    uint32 // kernel's dev_t: major<<20 | minor
	Ino    uint64
	// Generation is that of the inode, i_generation, with ThisGeneration only.
	Generation     uint32
	ThisGeneration bool
	ByPath         bool          // Dev and Ino are those of a path: what they refuse counts as that
	Folders        []Folder      // below one of them, in its file system
	MinLatency     time.Duration // entry to return
	ExcludePid     uint32        // as Pid
}

// Folder is a folder of a file system.
type Folder struct {
	Dev uint32 // kernel's dev_t
	Ino uint64
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

// traits are what sets a probe apart from others.
type traits uint16

const (
	required   traits = 1 << iota // no verdict without it
	sometimes                     // left out of the plan where the kernel has no such function
	spare                         // a run that the kernel skips loses nothing of a write
	tracepoint                    // of the kernel, by a program of its own
	ofTree                        // only with Options.Tree
	ofHolders                     // not when Options.Holders is off
	ofBudget                      // only with Options.Budget
	timed                         // with that both ends are wanted
	held                          // both ends are wanted when Options.Holders is not off
	since7                        // of no interest before Linux 7.0
	before66                      // only where iomap_dio_complete has no tracepoint yet
)

// probe is one line of the table of what we want to see.
type probe struct {
	name   string   // of the programs: kp_NAME, kr_NAME, …
	funcs  []string // the first that is a real symbol is taken
	ends   ends
	stage  record.Stages
	tells  string
	traits traits
}

func (p *probe) is(t traits) bool { return p.traits&t != 0 }

// sharedHold is in the names of the programs that are at the functions of all holders,
// where a program can be at several: their cookie is the operation. Reads and buffered
// writes have programs of their own.
const sharedHold = "hold"

// holds is the operation whose function this is, or none.
func (p *probe) holds() record.HoldOp {
	if !p.is(ofHolders) {
		return record.HoldUnknown
	}
	return map[string]record.HoldOp{
		"hold_fallocate": record.HoldFallocate, "hold_setattr": record.HoldSetattr, "hold_ioctl": record.HoldIoctl, "hold_fsync": record.HoldFsync,
		"hold_seek": record.HoldSeek, "hold_fiemap": record.HoldFiemap, "hold_xattr": record.HoldXattr,
		"hold_fileattr": record.HoldFileattr, "hold_unlink": record.HoldUnlink, "hold_link": record.HoldLink,
	}[p.name]
}

// inFull is the probe with both ends, when it has one of the traits that want them.
func (p *probe) inFull(wanted traits) *probe {
	if !p.is(wanted) {
		return p
	}
	full := *p
	full.ends = entry | exit
	return &full
}

// table lists the probes inside a write in the order in which they are
// attached: the entry of a write comes last, so that a write which is seen at
// all is seen by all of them. Tracepoints follow, and are attached before it.
//
// Of those that are spare, a completion has several witnesses, and one that all of them
// missed leaves its write without completion.
// Contention of other locks interrupts ours.
var table = []probe{
	{"pass", []string{"ext4_generic_write_checks"}, entry, record.StagePass, "each pass of the checks under i_rwsem", required},
	{"map", []string{"ext4_map_blocks"}, entry | exit, record.StageLookup, "block lookups of the lock decision, allocations", required},
	{"drain", []string{"inode_dio_wait"}, entry | exit, record.StageDrain, "waiting for direct I/O in flight", required},
	{"file_modified", []string{"file_modified"}, entry, record.StageFmod, "timestamp and privilege update", timed},
	{"kiocb_modified", []string{"kiocb_modified"}, entry, record.StageFmod, "timestamp and privilege update", timed},
	{"dio", []string{"iomap_dio_rw", "__iomap_dio_rw"}, entry, record.StageDIO, "the decision: lock mode and dio_flags", required},
	{"begin", []string{"ext4_iomap_begin"}, entry | exit, record.StageBegin, "mappings and -EAGAIN of the iomap phase", required},
	{"overwrite_begin", []string{"ext4_iomap_overwrite_begin"}, entry | exit, record.StageBegin, "mappings of overwrites (6.x only)", sometimes},
	{"zero", []string{"iomap_dio_zero"}, entry, record.StageZero, "zeroing of partial blocks", required | timed},
	{"buffered", []string{"ext4_buffered_write_iter"}, entry, record.StageBuffered, "fallback to buffered I/O, buffered writes that hold i_rwsem", required | held},
	{"copy", []string{"generic_perform_write"}, entry, record.StageCopy, "direct I/O in flight at a buffered copy", 0},
	{"hold_read", []string{"ext4_file_read_iter"}, entry | exit, 0, "direct reads that hold i_rwsem", spare | ofHolders},
	{"hold_fallocate", []string{"ext4_fallocate"}, entry | exit, 0, "fallocate that holds i_rwsem", spare | ofHolders},
	{"hold_setattr", []string{"ext4_setattr"}, entry | exit, 0, "truncate, chmod and the like that hold i_rwsem", spare | ofHolders},
	{"hold_ioctl", []string{"ext4_ioctl"}, entry | exit, 0, "ioctls that hold i_rwsem", spare | ofHolders},
	{"hold_seek", []string{"ext4_llseek"}, entry | exit, 0, "SEEK_DATA and SEEK_HOLE that hold i_rwsem", spare | ofHolders},
	{"hold_fiemap", []string{"ext4_fiemap"}, entry | exit, 0, "fiemap that holds i_rwsem", spare | ofHolders | since7},
	{"hold_xattr", []string{"ext4_xattr_set"}, entry | exit, 0, "setxattr that holds i_rwsem", spare | ofHolders},
	{"hold_fileattr", []string{"ext4_fileattr_set"}, entry | exit, 0, "chattr that holds i_rwsem", spare | ofHolders},
	{"hold_unlink", []string{"ext4_unlink"}, entry | exit, 0, "unlink that holds i_rwsem", spare | ofHolders},
	{"hold_link", []string{"ext4_link"}, entry | exit, 0, "link that holds i_rwsem", spare | ofHolders},
	{"hold_fsync", []string{"ext4_sync_file"}, entry | exit, 0, "end of the hold of an O_SYNC buffered write; fsync that holds i_rwsem", spare | ofHolders},
	{"sync", []string{"ext4_sync_file"}, exit, 0, "the flush at the end of asynchronous O_DSYNC writes", spare | timed},
	{"submit", []string{"submit_bio"}, entry, 0, "of --budget: submit, device and wakeup", spare | ofBudget},
	{"bio_end", []string{"iomap_dio_bio_end_io"}, entry, 0, "of --budget: submit, device and wakeup", spare | ofBudget},
	{"end_io", []string{"ext4_dio_write_end_io"}, entry | exit, 0, "completion of asynchronous writes", spare},
	{"complete", []string{"iomap_dio_complete"}, entry, 0, "completions that the programs of end_io missed", spare | sometimes | tracepoint},
	{"mark", []string{"ext4_dio_write_end_io"}, entry, 0, "completions that the programs of end_io missed", spare | before66},
	{"write", []string{"ext4_dio_write_iter", "ext4_file_write_iter"}, entry | exit, record.StageEntry | record.StageReturn, "begin and end of each write", required},
	{"wait_begin", []string{"contention_begin"}, entry, record.StageWait, "queueing for i_rwsem", spare | tracepoint},
	{"wait_end", []string{"contention_end"}, entry, record.StageWait, "queueing for i_rwsem", spare | tracepoint},
	{"switch", []string{"sched_switch"}, entry, record.StageSleep, "sleeps of NOWAIT writes", spare | tracepoint},
	{"fork", []string{"sched_process_fork"}, entry, 0, "children of the traced command", spare | tracepoint | ofTree},
}

// namesOf lists the functions of the table, or its tracepoints.
func namesOf(tracepoints bool) (names []string) {
	for i := range table {
		if table[i].is(tracepoint) == tracepoints {
			names = append(names, table[i].funcs...)
		}
	}
	return names
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

	want *probe
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
	// Holders is Options.Holders; empty in a trace of before there was that.
	Holders string `json:"holders,omitempty"`
	// Sample is Options.Sample.
	Sample record.Sample `json:"sample,omitzero"`
}

// MakePlan chooses the probes for a kernel. It depends on its arguments only.
// The error is *hint.UnfitError when the kernel cannot be traced.
func MakePlan(f *Facts, o Options) (*Plan, error) {
	if err := fit(f); err != nil {
		return nil, err
	}
	mode, why, err := chooseMode(f, o.Attach)
	if err != nil {
		return nil, err
	}
	holders, err := o.holders()
	if err != nil {
		return nil, err
	}
	p := &Plan{Mode: mode, Why: why, Holders: cmp.Or(o.Holders, HoldersAuto), Sample: o.Sample}
	var full traits
	if o.Budget {
		full |= timed
	}
	if holders != 0 {
		full |= held
	}
	for i := range table {
		t := &table[i]
		if t.is(sometimes) && !f.has(t) || t.is(ofTree) && !o.Tree || t.is(ofBudget) && !o.Budget ||
			t.is(ofHolders) && holders == 0 || t.is(since7) && f.before7() || t.is(before66) && f.Tracepoints["iomap_dio_complete"] {
			continue
		}
		p.Probes = append(p.Probes, planProbe(f, mode, t.inFull(full)))
	}
	p.Unattached = unattached(p.Probes)
	for i := range p.Probes {
		if pp := &p.Probes[i]; pp.Required && !pp.Attached() {
			return p, &hint.UnfitError{
				Msg:  fmt.Sprintf("cannot probe %s (%s): %s", pp.Func, pp.Tells, pp.Why),
				Hint: "see all probes with: ext4dio-trace doctor",
			}
		}
	}
	return p, nil
}

// has tells whether the kernel has what a probe looks at first.
func (f *Facts) has(t *probe) bool {
	if t.is(tracepoint) {
		return f.Tracepoints[t.funcs[0]]
	}
	return f.Funcs[t.funcs[0]].Symbol
}

// Unmeasured says which parts of a budget stay unknown, and why.
func (p *Plan) Unmeasured() (out []string) {
	for i := range p.Probes {
		if pp := &p.Probes[i]; pp.want.is(ofBudget) && !pp.Attached() {
			out = append(out, fmt.Sprintf("%s stay unknown: %s: %s", pp.Tells, pp.Func, pp.Why))
		}
	}
	return out
}

// Unseen says what holders of i_rwsem no probe sees, though they are wanted.
func (p *Plan) Unseen() (all []string) {
	for i := range p.Probes {
		if pp := &p.Probes[i]; strings.HasPrefix(pp.Name, "hold_") && !pp.Attached() {
			all = append(all, pp.Tells)
		}
	}
	return all
}

// before7 tells a kernel of 6.x, whose ext4_fiemap takes no i_rwsem.
func (f *Facts) before7() bool { return f.Funcs["ext4_iomap_overwrite_begin"].Symbol }

// syncLocks tells a kernel whose ext4_sync_file takes i_rwsem where there is no journal, by
// __generic_file_fsync. Since 6.5 it calls generic_buffers_fsync_noflush, and in 7.x another.
func (f *Facts) syncLocks() bool {
	return f.before7() && !f.Funcs["generic_buffers_fsync_noflush"].Symbol
}

// unattached collects the stages of which no probe is attached.
func unattached(probes []PlannedProbe) record.Stages {
	var have, want record.Stages
	for i := range probes {
		want |= probes[i].want.stage
		if probes[i].Attached() {
			have |= probes[i].want.stage
		}
	}
	return want &^ have
}

func fit(f *Facts) error {
	switch {
	case f.UserNamespace:
		return &hint.UnfitError{
			Msg:  "this is a user namespace, as of a container without the host's root; root in it may not load tracing programs",
			Hint: "run it as root outside the container: " + hint.AsRoot(),
		}
	case !f.Root:
		return &hint.UnfitError{Msg: "tracing needs root, or CAP_BPF with CAP_PERFMON", Hint: hint.AsRoot()}
	case f.NoSys:
		return &hint.UnfitError{Msg: "/sys is not mounted here, so that the types of the kernel cannot be read", Hint: "mount -t sysfs none /sys; or run it outside the container"}
	case f.Lockdown == "confidentiality":
		return &hint.UnfitError{Msg: "kernel lockdown is in confidentiality mode, which forbids reading kernel memory from BPF", Hint: vmHint}
	case f.Ext4 == "":
		return &hint.UnfitError{Msg: "ext4 is not in this kernel, or its module is not loaded", Hint: "sudo modprobe ext4; or " + vmHint}
	case !f.BTF:
		return &hint.UnfitError{Msg: "this kernel has no BTF type information (CONFIG_DEBUG_INFO_BTF)", Hint: vmHint}
	case f.noNamespace != nil:
		return &hint.UnfitError{
			Msg:  fmt.Sprintf("it is not known which processes this pid namespace has: %v", f.noNamespace),
			Hint: "run it outside the container: " + hint.AsRoot(),
		}
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
			return "", "", hint.Usagef("--attach auto, session, multi, fentry or kprobe", "unknown way to attach %q", force)
		}
		if !ok {
			return "", "", hint.Unfitf("leave --attach away, or see: ext4dio-trace doctor", "this kernel cannot attach by %s", force)
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
	return "", "", &hint.UnfitError{Msg: "this kernel has neither kprobes (CONFIG_KPROBES) nor BTF trampolines", Hint: vmHint}
}

func planProbe(f *Facts, mode string, t *probe) PlannedProbe {
	p := PlannedProbe{Name: t.name, Tells: t.tells, Required: t.is(required), want: t}
	if t.is(tracepoint) {
		return planTracepoint(f, p)
	}
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
func chooseHow(f *Facts, mode string, fn Func, t *probe) (how, why string) {
	if t.name == "end_io" && fn.BTF {
		return HowFentry, "runs in interrupts, too: several programs, of which one interrupted leaves the others"
	}
	if t.name == "bio_end" && fn.BTF {
		return HowFentry, "runs in interrupts: no program but itself keeps it from running"
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
func programs(how string, t *probe) []string {
	name, in, out := t.name, "", ""
	if t.holds() != 0 && how != HowFentry {
		name = sharedHold
	}
	switch how {
	case HowRawTP:
		return []string{"tp_" + name}
	case HowSession:
		return []string{"ks_" + name}
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
		ps = append(ps, out+name)
	}
	if t.ends&entry != 0 {
		ps = append(ps, in+name)
	}
	return ps
}

// atReturn tells by its name whether a program runs at the return of a function alone.
func atReturn(program string) bool {
	return strings.HasPrefix(program, "kr_") || strings.HasPrefix(program, "fx_")
}

func planTracepoint(f *Facts, p PlannedProbe) PlannedProbe {
	p.Func = p.want.funcs[0]
	if p.want.stage == record.StageSleep {
		p.Tells = sleepTells(f)
	}
	if !f.Tracepoints[p.Func] {
		p.Why = "no such tracepoint in this kernel"
		return p
	}
	p.How, p.Programs = HowRawTP, programs(HowRawTP, p.want)
	return p
}
