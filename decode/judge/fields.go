package judge

import "github.com/ext4dio/ext4dio-trace/decode/rules"

// Field is one thing in which an observation can differ from a decision.
type Field uint8

// The fields, in the order in which differences are told.
const (
	FieldEnd       Field = iota // iomap_dio_rw entered or not
	FieldFirstLock              // mode of the first lock
	FieldLock                   // mode at iomap_dio_rw
	FieldPasses                 // runs of the write checks
	FieldLookups                // lookups within the passes that the model makes
	FieldDrain
	FieldForceWait
	FieldEagain // -EAGAIN at another place
	FieldResult
	FieldModifier // the other of file_modified and kiocb_modified
	FieldOps
	FieldQueued
	FieldAlloc
	FieldZeroed
	FieldCopyDrain // drained, or not, before the buffered copy
	FieldDirect    // direct I/O taken, or refused
	FieldCopyLock  // the buffered copy without the exclusive lock
	FieldMoved     // ki_pos at the return

	numFields
)

// fieldTable has the name of each field and the rule that a difference breaks; most
// break none. A missing drain breaks R2, too, but only before zeroing.
var fieldTable = [numFields]struct {
	name string
	rule rules.Set
}{
	FieldEnd:       {name: "end of the checks"},
	FieldFirstLock: {"first lock", rules.R6},
	FieldLock:      {"lock", rules.R6},
	FieldPasses:    {"passes", rules.R7},
	FieldLookups:   {"lookups", rules.R9},
	FieldDrain:     {name: "drain"},
	FieldForceWait: {"IOMAP_DIO_FORCE_WAIT", rules.R8},
	FieldEagain:    {"-EAGAIN", rules.R10},
	FieldResult:    {name: "result"},
	FieldModifier:  {name: "timestamps"},
	FieldOps:       {name: "operations"},
	FieldQueued:    {"result", rules.R8},
	FieldAlloc:     {name: "allocation"},
	FieldZeroed:    {name: "zeroed"},
	FieldCopyDrain: {name: "drain before the buffered copy"},
	FieldDirect:    {name: "direct I/O"},
	FieldCopyLock:  {"lock of the buffered copy", rules.R6},
	FieldMoved:     {name: "position"},
}

func (f Field) String() string { return fieldTable[f].name }

// fields is a set of fields.
type fields uint32

// add adds f when it differs.
func (s *fields) add(f Field, differs bool) {
	if differs {
		*s |= 1 << f
	}
}

func (s fields) has(f Field) bool { return s&(1<<f) != 0 }

// rules are those that differences in the fields break.
func (s fields) rules() (out rules.Set) {
	for f := Field(0); f < numFields && s != 0; f++ {
		if s.has(f) {
			out |= fieldTable[f].rule
		}
	}
	return out
}
