package model

// Answer is a fact that may be unknown.
type Answer uint8

// Answers. The zero value is not known.
const (
	Unknown Answer = iota
	No
	Yes
)

var answerNames = [...]string{"unknown", "no", "yes"}

func (a Answer) String() string { return nameOf(answerNames[:], a) }

// nameOf is entry i of names, or the first entry where names has no entry i.
func nameOf[T ~uint8](names []string, i T) string {
	if int(i) < len(names) {
		return names[i]
	}
	return names[0]
}

// AnswerOf turns a known fact into an Answer.
func AnswerOf(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// Mode is how i_rwsem is held.
type Mode uint8

// Modes of i_rwsem. Unlocked is the zero value: not held, or not decided.
const (
	Unlocked Mode = iota
	Shared
	Exclusive
)

var modeNames = [...]string{"none", "shared", "exclusive"}

func (m Mode) String() string { return nameOf(modeNames[:], m) }

// Alignment is iov_iter_alignment: the OR of the addresses and lengths of all
// segments that are left. Only the low bits, below the block size, matter.
type Alignment struct {
	Bits  uint32
	Known bool
}

// Call holds the arguments of ext4_file_write_iter.
type Call struct {
	Pos, Len int64     // ki_pos and iov_iter.count, bytes
	Align    Alignment // of the whole iov_iter
	ISize    int64     // i_size as the lockless guess reads it, bytes
	Flags    uint32    // ki_flags
	Blkbits  uint8     // i_blkbits
	Async    Answer    // ki_complete is set
}

func (c *Call) nowait() bool { return c.Flags&IocbNowait != 0 }

// Checks is the state under i_rwsem when ext4_generic_write_checks returned.
type Checks struct {
	Pos       int64 // ki_pos, moved to i_size by IOCB_APPEND
	Count     int64 // bytes left to write, or the result when <= 0
	ISize     int64
	IDisksize int64
	Align     Alignment // of the iov_iter, which may have been cut
	Nosec     bool      // IS_NOSEC
}

func (c *Checks) end() int64 { return c.Pos + c.Count }

// Query is one ext4_map_blocks call of the check phase.
type Query struct {
	Lblk, Len uint32 // m_lblk and m_len, blocks
	Flags     uint32
}

// Result is the return value of ext4_map_blocks with its m_flags.
type Result struct {
	Ret    int32 // blocks, 0, or a negative errno
	MFlags uint32
}

func (r Result) written() bool { return r.Ret > 0 && r.MFlags&MapMapped != 0 }

// World answers what the model cannot know: the state of the inode and its
// blocks when the kernel looked. The answers come from an observation, or from
// a layout that is given. Passes count from 0. A false second result, or
// Unknown, says that the fact is not known; the decision then ends there, with
// the fact named, unless it does not depend on it.
type World interface {
	// Trylock is the result of inode_trylock or inode_trylock_shared; it is
	// asked only under IOCB_NOWAIT.
	Trylock(m Mode) Answer
	// UseDio is the result of ext4_should_use_dio.
	UseDio() Answer
	// Checks is the state behind ext4_generic_write_checks in this pass.
	Checks(pass int) (Checks, bool)
	// Lookup is the answer to an ext4_map_blocks call of this pass.
	Lookup(pass int, q Query) (Result, bool)
	// Modified is the return value of file_modified or kiocb_modified.
	Modified() (int, bool)
}
