// Package random makes direct writes that follow from a seed alone, to files with
// layouts that follow from it too, and asks three oracles about each:
//
//   - observed: the verdict of the model that is fed with what was observed;
//   - known: the model fed with the layout that the file was known to have;
//   - bytes: a byte-exact shadow of every file, read back with O_DIRECT, through
//     the page cache after it was dropped, and once more by Report.Verify.
//
// Each is counted by itself. A failure is shrunk to fewer steps and smaller
// numbers, and printed as commands of xfs_io.
//
// The known oracle takes the blocks from FIEMAP and i_size from lseek (a stat would
// make ext4's timestamps multigrain, and every NOWAIT write after it fail), both
// right before the write. It compares lock, passes, drain, force wait, end, zeroed
// ranges, result, and the arguments of the lookups. What it cannot know it asks of
// the observation:
//
//   - whether the timestamps were stale, where file_modified returned -EAGAIN;
//   - i_disksize, after a buffered write that was not synced, since writeback
//     moves it; it may then be anything up to i_size;
//   - S_NOSEC, after a NOWAIT write that failed or a punch behind i_size, which set it
//     only on some kernels;
//   - whether i_rwsem was busy, right after a write of io_uring, whose task can still
//     hold it when the completion comes;
//   - which attempts of io_uring were made with NOWAIT.
//
// And some it tries both ways before it counts a difference: whether neighbouring
// extents are one entry of the extent-status tree, one each, or none; whether pages
// that mincore does not show are in the page cache; whether writeback of a block
// made only it written or its whole unwritten extent. It leaves out: attempts of
// io_uring after one that had submitted I/O; inodes that take no direct I/O; the
// lookups' answers; the end of a write that the device cannot take; zeroed ranges of
// a write that failed; a write during which i_disksize moved; and how the fallback
// is carried out, which the observed oracle judges. A probe that was not attached
// takes its field with it.
//
// It writes only to files in a directory that it made itself.
package random
