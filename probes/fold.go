package probes

import (
	"encoding/binary"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// The constants of the programs are set before they are loaded, and most of what they
// switch is off. The kernel finds that out, too, but it then takes each dead piece out by
// itself and moves the rest of the program each time (opt_remove_dead_code), which is most
// of what loading took; and the loads of the constants stay, to be run with each write.

// foldAll takes out of the programs what their constants switch off.
func foldAll(spec *ebpf.CollectionSpec) {
	constants := map[string][]byte{}
	for _, v := range spec.Variables {
		if !v.Constant() {
			continue
		}
		raw := constants[v.SectionName]
		if raw == nil {
			raw = contents(spec.Maps[v.SectionName])
			constants[v.SectionName] = raw
		}
		copy(raw[v.Offset:], v.Value)
	}
	for _, ps := range spec.Programs {
		ps.Instructions = fold(ps.Instructions, constants)
	}
}

// contents are the bytes of a section: what has no name of its own, such as a table that is
// static, stands in them too.
func contents(m *ebpf.MapSpec) []byte {
	raw := make([]byte, m.ValueSize)
	if len(m.Contents) == 1 {
		if b, ok := m.Contents[0].Value.([]byte); ok {
			copy(raw, b)
		}
	}
	return raw
}

// known is what is known of a register.
type known struct {
	is  uint8
	n   uint64 // the constant, or where in the map
	sec string // whose constants it points to
}

const (
	unseen uint8 = iota
	constant
	pointer
	anything
)

// registers are R0 to R10.
type registers [11]known

// join is what is known where two ways meet.
func (r *registers) join(o *registers) (changed bool) {
	for i := range r {
		switch {
		case r[i].is == anything || r[i] == o[i] || o[i].is == unseen:
		case r[i].is == unseen:
			r[i], changed = o[i], true
		default:
			r[i], changed = known{is: anything}, true
		}
	}
	return changed
}

// edges of a jump that may be taken.
const (
	taken uint8 = 1 << iota
	onward
)

// folder folds the functions of one program.
type folder struct {
	in        asm.Instructions
	constants map[string][]byte
	at        []int          // where each instruction lies, in units of the kernel's
	index     []int          // the reverse, plus 1
	funcs     map[string]int // where each function begins
	leads     []bool         // something jumps there, or a function begins
	states    map[int]*registers
	reached   []bool
	edges     []uint8
	gone      []bool
	todo      []int
}

// fold returns a program without what its constants switch off.
func fold(in asm.Instructions, constants map[string][]byte) asm.Instructions {
	f := &folder{
		in: append(asm.Instructions(nil), in...), constants: constants,
		at: make([]int, len(in)+1), funcs: map[string]int{},
		leads: make([]bool, len(in)+1), states: map[int]*registers{},
		reached: make([]bool, len(in)), edges: make([]uint8, len(in)), gone: make([]bool, len(in)),
	}
	f.index = make([]int, 2*len(in))
	for i := range in {
		f.index[f.at[i]] = i + 1
		f.at[i+1] = f.at[i] + int(in[i].Width())
		if name := in[i].Symbol(); name != "" {
			f.funcs[name], f.leads[i] = i, true
		}
	}
	for i := range in {
		if jumps(&in[i]) {
			to, ok := f.target(i)
			if !ok {
				return in // it is none that we know
			}
			f.leads[to] = true
		}
	}
	f.enter(0, f.unknown())
	for len(f.todo) > 0 {
		i := f.todo[len(f.todo)-1]
		f.todo = f.todo[:len(f.todo)-1]
		f.walk(i, false)
	}
	for i := range f.states {
		f.walk(i, true)
	}
	f.settleJumps()
	f.dropUnused()
	return f.rest()
}

// jumps reports whether an instruction is a jump within its function.
func jumps(ins *asm.Instruction) bool {
	if c := ins.OpCode.Class(); c != asm.JumpClass && c != asm.Jump32Class {
		return false
	}
	op := ins.OpCode.JumpOp()
	return op != asm.Call && op != asm.Exit
}

func (f *folder) target(i int) (to int, ok bool) {
	if ins := &f.in[i]; ins.OpCode.Class() == asm.Jump32Class && ins.OpCode.JumpOp() == asm.Ja {
		return 0, false // its offset is elsewhere
	}
	at := f.at[i+1] + int(f.in[i].Offset)
	if at < 0 || at >= len(f.index) || f.index[at] == 0 {
		return 0, false
	}
	return f.index[at] - 1, true
}

func (f *folder) unknown() (r *registers) {
	r = new(registers)
	for i := range r {
		r[i].is = anything
	}
	return r
}

// enter takes up what is known on one way to where a block begins.
func (f *folder) enter(i int, r *registers) {
	s := f.states[i]
	if s == nil {
		s = new(registers)
		f.states[i] = s
	}
	if s.join(r) || !f.reached[i] {
		f.reached[i] = true
		f.todo = append(f.todo, i)
	}
}

// walk goes through the block that begins at i. With rewrite all is known that will be, and
// loads of constants are replaced.
func (f *folder) walk(i int, rewrite bool) {
	r := *f.states[i]
	for {
		f.reached[i] = true
		ins := &f.in[i]
		switch {
		case jumps(ins):
			to, _ := f.target(i)
			f.edges[i] |= ways(ins, &r)
			if f.edges[i]&taken != 0 && !rewrite {
				f.enter(to, &r)
			}
			if f.edges[i]&onward == 0 {
				return
			}
		case ins.OpCode.JumpOp() == asm.Exit && ins.OpCode.Class() == asm.JumpClass:
			return
		default:
			f.call(ins, rewrite)
			if v, ok := f.load(ins, &r); ok && rewrite {
				*ins = immediate(ins, v)
			}
			f.step(ins, &r)
		}
		if i++; i == len(f.in) {
			return // the verifier says what is wrong with it
		}
		if f.leads[i] {
			if !rewrite {
				f.enter(i, &r)
			}
			return
		}
	}
}

// call takes up a function that is called, or given to a helper.
func (f *folder) call(ins *asm.Instruction, rewrite bool) {
	if !rewrite && ins.IsFunctionReference() {
		if at, ok := f.funcs[ins.Reference()]; ok {
			f.enter(at, f.unknown())
		}
	}
}

// load is the constant that an instruction reads.
func (f *folder) load(ins *asm.Instruction, r *registers) (v uint64, ok bool) {
	if ins.OpCode.Class() != asm.LdXClass || ins.OpCode.Mode() != asm.MemMode || moved(ins) {
		return 0, false
	}
	from := r[ins.Src]
	raw := f.constants[from.sec]
	at, size := int64(from.n)+int64(ins.Offset), int64(ins.OpCode.Size().Sizeof())
	if from.is != pointer || at < 0 || at+size > int64(len(raw)) {
		return 0, false
	}
	var word [8]byte
	copy(word[:size], raw[at:])
	return binary.LittleEndian.Uint64(word[:]), true
}

// moved reports whether an instruction is another one once the kernel's types are known.
func moved(ins *asm.Instruction) bool { return btf.CORERelocationMetadata(ins) != nil }

// immediate is an instruction that sets the same register to a constant.
func immediate(ins *asm.Instruction, v uint64) (out asm.Instruction) {
	switch {
	case int64(v) == int64(int32(v)):
		out = asm.Mov.Imm(ins.Dst, int32(v))
	case v>>32 == 0:
		out = asm.Mov.Imm32(ins.Dst, int32(v))
	default:
		out = asm.LoadImm(ins.Dst, int64(v), asm.DWord)
	}
	out.Metadata = ins.Metadata
	return out
}

// step is what an instruction other than a jump does to the registers.
func (f *folder) step(ins *asm.Instruction, r *registers) {
	any := known{is: anything}
	switch op := ins.OpCode; op.Class() {
	case asm.JumpClass: // a call
		for i := range 6 {
			r[i] = any
		}
	case asm.StClass:
	case asm.StXClass:
		if op.Mode() != asm.MemMode { // an exchange
			r[ins.Src], r[asm.R0] = any, any
		}
	case asm.LdXClass:
		if v, ok := f.load(ins, r); ok {
			r[ins.Dst] = known{is: constant, n: v}
			return
		}
		r[ins.Dst] = any
	case asm.LdClass:
		switch {
		case op != asm.LoadImmOp(asm.DWord): // of packets
			*r = *f.unknown()
		case ins.Src == asm.PseudoMapValue && f.constants[ins.Reference()] != nil:
			r[ins.Dst] = known{is: pointer, n: uint64(ins.Constant) >> 32, sec: ins.Reference()}
		case ins.Src == asm.R0 && ins.Reference() == "" && !moved(ins):
			r[ins.Dst] = known{is: constant, n: uint64(ins.Constant)}
		default:
			r[ins.Dst] = any
		}
	default:
		r[ins.Dst] = computed(ins, r)
	}
}

// computed is what an arithmetic instruction gives, where that is a constant.
func computed(ins *asm.Instruction, r *registers) known {
	op := ins.OpCode
	b := known{is: constant, n: uint64(ins.Constant)}
	if op.Source() == asm.RegSource {
		b = r[ins.Src]
	}
	wide := op.Class() == asm.ALU64Class
	if moved(ins) || ins.Offset != 0 { // a sign is extended
		return known{is: anything}
	}
	if op.ALUOp() == asm.Mov && wide {
		return b
	}
	a := r[ins.Dst]
	if op.ALUOp() == asm.Mov {
		a = b
	}
	if a.is != constant || b.is != constant {
		return known{is: anything}
	}
	var n uint64
	mask, bits := ^uint64(0), uint64(63)
	if !wide {
		mask, bits = 1<<32-1, 31
	}
	switch x, y := a.n&mask, b.n&mask; op.ALUOp() {
	case asm.Mov:
		n = y
	case asm.Add:
		n = x + y
	case asm.Sub:
		n = x - y
	case asm.And:
		n = x & y
	case asm.Or:
		n = x | y
	case asm.Xor:
		n = x ^ y
	case asm.LSh:
		n = x << (y & bits)
	case asm.RSh:
		n = x >> (y & bits)
	default:
		return known{is: anything}
	}
	return known{is: constant, n: n & mask}
}

// ways are the edges that a jump may take.
func ways(ins *asm.Instruction, r *registers) uint8 {
	op := ins.OpCode
	if op.JumpOp() == asm.Ja {
		return taken
	}
	a, b := r[ins.Dst], known{is: constant, n: uint64(ins.Constant)}
	if op.Source() == asm.RegSource {
		b = r[ins.Src]
	}
	if a.is == pointer && b == (known{is: constant}) { // no address is 0
		a.is, a.n = constant, 1
		if op.JumpOp() != asm.JEq && op.JumpOp() != asm.JNE {
			a.is = anything
		}
	}
	if a.is != constant || b.is != constant || moved(ins) {
		return taken | onward
	}
	x, y := a.n, b.n
	sx, sy := int64(x), int64(y)
	if op.Class() == asm.Jump32Class {
		x, y = uint64(uint32(x)), uint64(uint32(y))
		sx, sy = int64(int32(x)), int64(int32(y))
	}
	yes, ok := compare(op.JumpOp(), x, y, sx, sy)
	switch {
	case !ok:
		return taken | onward
	case yes:
		return taken
	}
	return onward
}

// compare is what a conditional jump finds of two numbers; ok is false for none that we know.
func compare(op asm.JumpOp, x, y uint64, sx, sy int64) (yes, ok bool) {
	switch op {
	case asm.JEq:
		return x == y, true
	case asm.JNE:
		return x != y, true
	case asm.JGT:
		return x > y, true
	case asm.JGE:
		return x >= y, true
	case asm.JLT:
		return x < y, true
	case asm.JLE:
		return x <= y, true
	case asm.JSGT:
		return sx > sy, true
	case asm.JSGE:
		return sx >= sy, true
	case asm.JSLT:
		return sx < sy, true
	case asm.JSLE:
		return sx <= sy, true
	case asm.JSet:
		return x&y != 0, true
	}
	return false, false
}

// settleJumps makes jumps whose outcome is known unconditional, and takes out what is not reached.
func (f *folder) settleJumps() {
	for i := range f.in {
		ins := &f.in[i]
		switch {
		case !f.reached[i]:
			f.gone[i] = true
		case !jumps(ins):
		case f.edges[i] == onward && ins.Symbol() == "":
			f.gone[i] = true
		case f.edges[i] == taken && ins.OpCode.JumpOp() != asm.Ja:
			always := asm.Ja.Label("").WithMetadata(ins.Metadata)
			always.Offset = ins.Offset
			*ins = always
		}
	}
}

// dropUnused takes out what sets a register that nobody reads.
func (f *folder) dropUnused() {
	live := make([]uint16, len(f.in)+1) // before each instruction: a bit for each register
	for changed := true; changed; {
		changed = false
		for i := len(f.in) - 1; i >= 0; i-- {
			if now := f.before(i, live); now != live[i] {
				live[i], changed = now, true
			}
		}
	}
	for i := range f.in {
		if ins := &f.in[i]; !f.gone[i] && sets(ins) && live[i+1]&(1<<ins.Dst) == 0 && ins.Symbol() == "" {
			f.gone[i] = true
		}
	}
}

// before is which registers are read from an instruction on, by those known behind it.
func (f *folder) before(i int, live []uint16) uint16 {
	ins, after := &f.in[i], live[i+1]
	dst, src := uint16(1)<<ins.Dst, uint16(0)
	if ins.OpCode.Source() == asm.RegSource {
		src = 1 << ins.Src
	}
	switch class := ins.OpCode.Class(); {
	case f.gone[i]:
		return after
	case jumps(ins):
		to, _ := f.target(i)
		if ins.OpCode.JumpOp() == asm.Ja {
			return live[to]
		}
		return after | live[to] | dst | src
	case class == asm.JumpClass && ins.OpCode.JumpOp() == asm.Exit:
		return 1 << asm.R0
	case class == asm.JumpClass:
		return after&^0x3f | 0x3e // R1 to R5 in, R0 out
	case sets(ins) && after&dst == 0 && ins.Symbol() == "":
		return after
	case class == asm.LdClass:
		return after &^ dst
	case class == asm.LdXClass:
		return after&^dst | 1<<ins.Src
	case class == asm.StClass:
		return after | dst
	case class == asm.StXClass:
		return after | dst | 1<<ins.Src | 1<<asm.R0
	case ins.OpCode.ALUOp() == asm.Mov:
		return after&^dst | src
	}
	return after | dst | src
}

// sets reports whether all that an instruction does is to set its register.
func sets(ins *asm.Instruction) bool {
	switch ins.OpCode.Class() {
	case asm.ALUClass, asm.ALU64Class:
		return true
	case asm.LdClass:
		return ins.OpCode == asm.LoadImmOp(asm.DWord)
	}
	return false
}

// rest is what is left, with the jumps corrected.
func (f *folder) rest() (out asm.Instructions) {
	next := make([]int, len(f.in)+1) // the first that is left from there on
	for changed := true; changed; {
		changed = false
		next[len(f.in)] = len(f.in)
		for i := len(f.in) - 1; i >= 0; i-- {
			if next[i] = i; f.gone[i] {
				next[i] = next[i+1]
				continue
			}
			ins := &f.in[i]
			if !jumps(ins) || ins.OpCode.JumpOp() != asm.Ja || ins.Symbol() != "" {
				continue
			}
			if to, _ := f.target(i); to > i && next[to] == next[i+1] { // to what follows
				f.gone[i], next[i], changed = true, next[i+1], true
			}
		}
	}
	where := make([]int, len(f.in)+1)
	for i, n := 0, 0; i < len(f.in); i++ {
		where[i] = n
		if !f.gone[i] {
			n += int(f.in[i].Width())
		}
	}
	for i := range f.in {
		if f.gone[i] {
			continue
		}
		ins := f.in[i]
		if jumps(&ins) {
			to, _ := f.target(i)
			ins.Offset = int16(where[next[to]] - where[i] - 1)
		}
		out = append(out, ins)
	}
	return out
}
