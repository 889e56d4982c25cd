package probes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
)

// readConst loads a byte of the constants into a register.
func readConst(dst asm.Register, at uint32) asm.Instructions {
	ptr := asm.LoadMapValue(dst, 0, at).WithReference(".rodata")
	return asm.Instructions{ptr, asm.LoadMem(dst, dst, 0, asm.Byte)}
}

// jump is a conditional jump over so many of the kernel's instructions.
func jump(op asm.JumpOp, dst asm.Register, value int32, over int16) asm.Instruction {
	ins := op.Imm(dst, value, "")
	ins.Offset = over
	return ins
}

// TestFold: what a constant switches off is gone, with the load of the constant and what only
// that needed; what depends on anything else stays, and jumps lead where they led.
func TestFold(t *testing.T) {
	constants := map[string][]byte{".rodata": {0, 1, 0xff, 0}}
	start := func(ins ...asm.Instruction) asm.Instructions {
		out := asm.Instructions{asm.Mov.Reg(asm.R6, asm.R1).WithSymbol("main")}
		return append(out, ins...)
	}
	work := asm.FnKtimeGetNs.Call()
	end := asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
	ja := func(over int16) asm.Instruction {
		ins := asm.Ja.Label("")
		ins.Offset = over
		return ins
	}
	call := func(name string) asm.Instruction {
		return asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoCall, Constant: -1}.WithReference(name)
	}
	for _, c := range []struct {
		name     string
		in, want asm.Instructions
	}{
		{"off",
			slices.Concat(start(), readConst(asm.R7, 0), asm.Instructions{jump(asm.JEq, asm.R7, 0, 1), work}, end),
			slices.Concat(start(), end)},
		{"on",
			slices.Concat(start(), readConst(asm.R7, 1), asm.Instructions{jump(asm.JEq, asm.R7, 0, 1), work}, end),
			slices.Concat(start(work), end)},
		{"one of two ways",
			slices.Concat(start(), readConst(asm.R7, 0), asm.Instructions{jump(asm.JNE, asm.R7, 0, 2), work, ja(1), asm.FnGetCurrentTask.Call()}, end),
			slices.Concat(start(work), end)},
		{"read at run time stays",
			slices.Concat(start(asm.LoadMem(asm.R1, asm.R6, 0, asm.Byte), jump(asm.JEq, asm.R1, 0, 1), work), end),
			slices.Concat(start(asm.LoadMem(asm.R1, asm.R6, 0, asm.Byte), jump(asm.JEq, asm.R1, 0, 1), work), end)},
		{"two ways meet with different values",
			slices.Concat(start(asm.LoadMem(asm.R2, asm.R6, 0, asm.Byte), asm.Mov.Imm(asm.R1, 0), jump(asm.JEq, asm.R2, 0, 1), asm.Mov.Imm(asm.R1, 1),
				jump(asm.JEq, asm.R1, 0, 1), work), end),
			slices.Concat(start(asm.LoadMem(asm.R2, asm.R6, 0, asm.Byte), asm.Mov.Imm(asm.R1, 0), jump(asm.JEq, asm.R2, 0, 1), asm.Mov.Imm(asm.R1, 1),
				jump(asm.JEq, asm.R1, 0, 1), work), end)},
		{"a jump over what is gone is shorter",
			slices.Concat(start(asm.LoadMem(asm.R2, asm.R6, 0, asm.Byte), jump(asm.JEq, asm.R2, 0, 5)), readConst(asm.R7, 0),
				asm.Instructions{jump(asm.JEq, asm.R7, 0, 1), work}, end),
			slices.Concat(start(asm.LoadMem(asm.R2, asm.R6, 0, asm.Byte), jump(asm.JEq, asm.R2, 0, 0)), end)},
		{"a constant that is stored",
			slices.Concat(start(), readConst(asm.R7, 2), asm.Instructions{asm.StoreMem(asm.R10, -8, asm.R7, asm.DWord)}, end),
			slices.Concat(start(asm.Mov.Imm(asm.R7, 255), asm.StoreMem(asm.R10, -8, asm.R7, asm.DWord)), end)},
		{"a call forgets",
			slices.Concat(start(asm.Mov.Imm(asm.R0, 0), work, jump(asm.JEq, asm.R0, 0, 1), work), end),
			slices.Concat(start(work, jump(asm.JEq, asm.R0, 0, 1), work), end)},
		{"a function that is called no more",
			slices.Concat(start(), readConst(asm.R7, 0), asm.Instructions{jump(asm.JEq, asm.R7, 0, 1), call("aside")}, end,
				asm.Instructions{work.WithSymbol("aside")}, end),
			slices.Concat(start(), end)},
		{"a function that is called",
			slices.Concat(start(), readConst(asm.R7, 1), asm.Instructions{jump(asm.JEq, asm.R7, 0, 1), call("aside")}, end,
				asm.Instructions{work.WithSymbol("aside")}, end),
			slices.Concat(start(call("aside")), end, asm.Instructions{work.WithSymbol("aside")}, end)},
	} {
		got := fold(c.in, constants)
		if g, w := text(got), text(c.want); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, g, w)
		}
	}
}

// text is what of a program counts: its instructions, and where functions begin.
func text(ins asm.Instructions) string {
	var b strings.Builder
	for i := range ins {
		fmt.Fprintf(&b, "%s %v\n", ins[i].Symbol(), ins[i])
	}
	return b.String()
}

// TestFoldPrograms: of the real programs most is switched off, no instruction reads a constant
// that could be replaced, and what an option switches on is there.
func TestFoldPrograms(t *testing.T) {
	sizes := func(f *Facts, o Options) (before, after map[string]int) {
		t.Helper()
		spec, err := loadExt4dio()
		if err != nil {
			t.Fatal(err)
		}
		if err := configure(spec, f, o); err != nil {
			t.Fatal(err)
		}
		before, after = map[string]int{}, map[string]int{}
		for name, ps := range spec.Programs {
			before[name] = len(ps.Instructions)
		}
		foldAll(spec)
		for name, ps := range spec.Programs {
			after[name] = len(ps.Instructions)
		}
		return before, after
	}
	casts := &Facts{CPUs: 2, Funcs: map[string]Func{"bpf_rdonly_cast": {BTF: true}}}
	before, plain := sizes(casts, Options{})
	_, budget := sizes(casts, Options{Budget: true})
	_, calls := sizes(&Facts{CPUs: 2}, Options{})
	for _, name := range []string{"ks_write", "fe_write", "fx_write", "kp_write", "ks_hold", "fx_end_io"} {
		if plain[name] > before[name]*6/10 || calls[name] > before[name]*6/10 {
			t.Errorf("%s: of %d instructions %d are left with casts, %d without", name, before[name], plain[name], calls[name])
		}
	}
	for _, name := range []string{"ks_write", "fx_write", "kp_dio", "fx_end_io"} {
		if budget[name] <= plain[name] {
			t.Errorf("%s: %d instructions with --budget, %d without", name, budget[name], plain[name])
		}
	}
	for name, n := range plain {
		if n < 2 || n > before[name] {
			t.Errorf("%s: %d instructions of %d", name, n, before[name])
		}
	}
}

// TestFoldKeepsCasts: what reads the kernel's memory is not switched off where it is on.
func TestFoldKeepsCasts(t *testing.T) {
	for _, have := range []bool{true, false} {
		spec, err := loadExt4dio()
		if err != nil {
			t.Fatal(err)
		}
		f := &Facts{CPUs: 2, Funcs: map[string]Func{"bpf_rdonly_cast": {BTF: have}}}
		if err := configure(spec, f, Options{}); err != nil {
			t.Fatal(err)
		}
		foldAll(spec)
		for _, name := range []string{"fe_write", "kp_pass", "kp_dio", "fe_hold_link"} {
			casts, calls := 0, 0
			for _, ins := range spec.Programs[name].Instructions {
				switch {
				case ins.IsKfuncCall():
					casts++
				case ins.IsBuiltinCall() && asm.BuiltinFunc(ins.Constant) == asm.FnProbeReadKernel:
					calls++
				}
			}
			if have && (casts == 0 || calls > casts) || !have && (calls == 0 || casts != 0) {
				t.Errorf("%s with have_cast %t: %d casts, %d calls", name, have, casts, calls)
			}
		}
	}
}

// TestFoldKnowsAll: bytes of the constants that no variable names are those of the object.
func TestFoldKnowsAll(t *testing.T) {
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	raw := contents(spec.Maps[".rodata"])
	named := make([]bool, len(raw))
	for _, v := range spec.Variables {
		if v.SectionName == ".rodata" {
			for i := range v.Value {
				named[int(v.Offset)+i] = true
			}
		}
	}
	others := ""
	for i, b := range raw {
		if !named[i] && b != 0 {
			others += string(rune(b))
		}
	}
	if !strings.Contains(others, "%ps") { // of_symbol is static
		t.Errorf("bytes without a name: %q", others)
	}
}
