package record

import "encoding/binary"

// BudgetPart is a part of a write's time (enum budget_part).
type BudgetPart uint8

// ParseBudget fills b from raw, behind which BudgetMarks has the marks. The error wraps
// ErrShort or ErrKind.
func ParseBudget(raw []byte, b *Budget) error {
	if err := whole(raw, KindBudget, BudgetSize, "budget"); err != nil {
		return err
	}
	b.parse((*[BudgetSize]byte)(raw))
	return nil
}

// MaxBudgetMarks bounds the marks of one budget (BUDGET_MARKS).
const MaxBudgetMarks = 28

const (
	budgetMarkSize = 8
	budgetMarkPass = 0x80 // BUDGET_MARK_PASS
)

// BudgetMark is when a write came into a part of its time.
type BudgetMark uint64

// MakeBudgetMark makes the mark of a part, with pass the one at which a pass begins.
func MakeBudgetMark(at uint64, part BudgetPart, pass bool) BudgetMark {
	m := BudgetMark(at<<8 | uint64(part))
	if pass {
		m |= budgetMarkPass
	}
	return m
}

// At is the instant, ns since the entry.
func (m BudgetMark) At() uint64 { return uint64(m >> 8) }

// Part is the part.
func (m BudgetMark) Part() BudgetPart { return BudgetPart(m &^ budgetMarkPass) }

// Pass reports whether a pass of the write checks begins there.
func (m BudgetMark) Pass() bool { return m&budgetMarkPass != 0 }

// BudgetMarks appends the marks of a raw budget that was parsed. Those of early versions
// have none.
func BudgetMarks(dst []BudgetMark, raw []byte) []BudgetMark {
	size := int(binary.LittleEndian.Uint16(raw[AtBudgetSize:]))
	for at := BudgetSize; at+budgetMarkSize <= size; at += budgetMarkSize {
		dst = append(dst, BudgetMark(binary.LittleEndian.Uint64(raw[at:])))
	}
	return dst
}

// IsBudget reports whether raw is a budget of which this version knows every byte.
func IsBudget(raw []byte) bool {
	n := len(raw) - BudgetSize
	_, ok := BudgetID(raw)
	return ok && n%budgetMarkSize == 0 && n <= MaxBudgetMarks*budgetMarkSize
}

// BudgetID is the id of the write that a raw record is the budget of.
func BudgetID(raw []byte) (id uint64, ok bool) {
	if kind, _, err := KindOf(raw); err != nil || kind != KindBudget || len(raw) < BudgetSize {
		return 0, false
	}
	return binary.LittleEndian.Uint64(raw[AtBudgetID:]), true
}

// Append encodes b with its marks in wire form to dst, the inverse of ParseBudget.
func (b *Budget) Append(dst []byte, marks ...BudgetMark) []byte {
	var raw [BudgetSize]byte
	put(raw[:], budgetFields, b)
	binary.LittleEndian.PutUint16(raw[AtBudgetKind:], uint16(KindBudget))
	binary.LittleEndian.PutUint16(raw[AtBudgetSize:], uint16(BudgetSize+budgetMarkSize*len(marks)))
	dst = append(dst, raw[:]...)
	for _, m := range marks {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(m))
	}
	return dst
}

var budgetNames = [...]string{
	"spin", "queue", "failed_pass", "lookup", "drain", "alloc", "zero", "submit",
	"convert", "sync", "buffered", "times", "rest", "device", "wakeup",
}

// BudgetOrder has the parts in the order in which a write passes them, the rest last.
var BudgetOrder = [...]BudgetPart{
	BudgetSpin, BudgetQueue, BudgetFailedPass, BudgetLookup, BudgetDrain, BudgetTimes, BudgetAlloc, BudgetZero, BudgetSubmit,
	BudgetDevice, BudgetWakeup, BudgetConvert, BudgetSync, BudgetBuffered, BudgetRest,
}

// String is the name by which the part is shown.
func (p BudgetPart) String() string {
	if int(p) < len(budgetNames) {
		return budgetNames[p]
	}
	return "unknown"
}
