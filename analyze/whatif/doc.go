// Package whatif answers from a recorded trace what another variant of ext4 would do
// with the same direct writes: which of them would get another lock, and what that is
// worth.
//
// The lock of each write is decided by the reference model from the facts that the
// trace holds; a fact that it does not hold is never guessed. What a lock is worth is
// simulated: i_rwsem of each inode, the writers, and the disk, with the times that the
// trace shows. The same simulation with the locks that were taken has to give what was
// measured; otherwise nothing is predicted.
//
// Its memory does not grow with the trace: every write is decided once, and samples of
// writes that follow on each other are kept for the simulation.
package whatif
