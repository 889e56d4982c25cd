package session

import "github.com/ext4dio/ext4dio-trace/internal/ext4fs"

// mountLog is what was mounted of late. Records are read some time after they were made:
// a file system that a write went to may be unmounted by then.
type mountLog struct{ seen []seenMounts }

// seenMounts was read at an instant, and had not changed at another. Both are ns of
// CLOCK_MONOTONIC.
type seenMounts struct {
	table *ext4fs.Table
	from  uint64
	to    uint64
}

// maxSeen bounds a mountLog: a script that mounts and unmounts in a loop gets through it
// in the time between two batches of records only where the reader starves.
const maxSeen = 16

// add takes what is mounted now.
func (l *mountLog) add(t *ext4fs.Table, now uint64) {
	if len(l.seen) == maxSeen {
		l.seen = append(l.seen[:0], l.seen[1:]...)
	}
	l.seen = append(l.seen, seenMounts{table: t, from: now, to: now})
}

// still takes that nothing has changed until now.
func (l *mountLog) still(now uint64) {
	if n := len(l.seen); n > 0 {
		l.seen[n-1].to = now
	}
}

// now is what was mounted when it was looked at last.
func (l *mountLog) now() *ext4fs.Table {
	if len(l.seen) == 0 {
		return &ext4fs.Table{}
	}
	return l.seen[len(l.seen)-1].table
}

// path is where a path inside the file system of a device was at an instant, see
// ext4fs.Table.Path. Between two tables either may hold: the later one goes first, as
// who mounts looks on, and who has unmounted does not write.
func (l *mountLog) path(dev, inside string, at uint64) (path string, ok bool) {
	i := len(l.seen) - 1
	for i > 0 && at < l.seen[i].from {
		i--
	}
	if i < 0 {
		return "", false
	}
	if next := i + 1; next < len(l.seen) && at > l.seen[i].to {
		if path, ok = l.seen[next].table.Path(dev, inside); ok {
			return path, true
		}
	}
	return l.seen[i].table.Path(dev, inside)
}
