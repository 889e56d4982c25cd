package record

import "encoding/binary"

// BudgetPart is a part of a write's time (enum budget_part).
type BudgetPart uint8

// ParseBudget fills b from raw. A record that is longer has fields that only a later
// version knows. The error wraps ErrShort or ErrKind.
func ParseBudget(raw []byte, b *Budget) error {
	if err := whole(raw, KindBudget, BudgetSize, "budget"); err != nil {
		return err
	}
	b.parse((*[BudgetSize]byte)(raw))
	return nil
}

// BudgetID is the id of the write that a raw record is the budget of.
func BudgetID(raw []byte) (id uint64, ok bool) {
	if kind, _, err := KindOf(raw); err != nil || kind != KindBudget || len(raw) < BudgetSize {
		return 0, false
	}
	return binary.LittleEndian.Uint64(raw[AtBudgetID:]), true
}

// Append encodes b in wire form to dst, the inverse of ParseBudget.
func (b *Budget) Append(dst []byte) []byte {
	var raw [BudgetSize]byte
	put(raw[:], budgetFields, b)
	binary.LittleEndian.PutUint16(raw[AtBudgetKind:], uint16(KindBudget))
	binary.LittleEndian.PutUint16(raw[AtBudgetSize:], BudgetSize)
	return append(dst, raw[:]...)
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
