package workload

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// atomicGate lets RWF_ATOMIC (all of a write or nothing of it, also when the power
// fails; ext4 takes it since Linux 6.13) through only to files that take it, as another
// kernel would refuse the write before ext4 sees it.
type atomicGate struct{ Engine }

func (g atomicGate) Do(reqs []Request) ([]Result, error) {
	for _, r := range reqs {
		if r.Flags&unix.RWF_ATOMIC == 0 {
			continue
		}
		if err := checkAtomic(r); err != nil {
			return nil, err
		}
	}
	return g.Engine.Do(reqs)
}

func checkAtomic(r Request) error {
	var sx unix.Statx_t
	if err := unix.Statx(r.Fd, "", unix.AT_EMPTY_PATH, unix.STATX_WRITE_ATOMIC, &sx); err != nil {
		return fmt.Errorf("ask for atomic writes: %w", err)
	}
	least, most := int(sx.Atomic_write_unit_min), int(sx.Atomic_write_unit_max)
	switch n := r.Len(); {
	case sx.Mask&unix.STATX_WRITE_ATOMIC == 0:
		return fmt.Errorf("needs a file that takes RWF_ATOMIC: %w: this kernel's ext4 has no atomic writes", ErrUnfit)
	case most == 0:
		return fmt.Errorf("needs a file that takes RWF_ATOMIC: %w: this one or its disk does not", ErrUnfit)
	case n < least || n > most:
		return fmt.Errorf("needs a file that takes RWF_ATOMIC: %w: it takes %d to %d bytes, not %d", ErrUnfit, least, most, n)
	}
	return nil
}
