package emit

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
)

// mkfsBlock is the size of blocks that is preferred, as mkfs.ext4 does.
const mkfsBlock = 4096

// segment is what memory at an odd address becomes: xfs_io has its memory at pages, and
// the kernel looks at lengths of segments as it looks at addresses.
const segment = 512

// port is a scenario as xfs_io can make it. It is shorter where xfs_io cannot go on.
func port(sc *validate.Scenario) validate.Scenario {
	out := *sc
	out.Steps = nil
	out.Requires = slices.Clone(sc.Requires)
	for i, r := range out.Requires {
		if r.Key == "blocksize" && slices.Contains(r.Values, mkfsBlock) {
			out.Requires[i].Values = []int64{mkfsBlock}
		}
	}
	for _, s := range sc.Steps {
		switch {
		case s.Setup != nil && setups[s.Setup.Op] == nil:
			return out
		case s.Write != nil:
			w := portWrite(s.Write)
			if w == nil {
				return out
			}
			s.Write = w
		}
		out.Steps = append(out.Steps, s)
	}
	return out
}

// portWrite is a write as xfs_io can make it, nil where it cannot.
func portWrite(w *validate.Write) *validate.Write {
	out := *w
	out.Expect = nil
	if w.Engine != workload.Pwrite && w.Engine != workload.Pwritev2 || w.Limit >= 0 || w.Held >= 0 || w.Len() == 0 ||
		w.Flags&^(unix.RWF_NOWAIT|unix.RWF_APPEND|unix.RWF_DSYNC) != 0 {
		return nil
	}
	if w.Buf != 0 {
		if len(w.Segs) > 1 || w.Buf%segment != 0 || w.Len()%segment != 0 || w.Len()/segment > xfsio.MaxVectors {
			return nil
		}
		out.Buf, out.Segs = 0, slices.Repeat([]int{segment}, w.Len()/segment)
	}
	for _, n := range out.Segs {
		if n != out.Segs[0] {
			return nil // xfs_io has segments of one size
		}
	}
	return &out
}

// place is what a scenario needs of its file system.
type place struct {
	block                        int64
	noExtents, noDelalloc, ofAll bool // ofAll: data=journal
}

func placeOf(sc *validate.Scenario) place {
	p := place{block: mkfsBlock}
	for _, r := range sc.Requires {
		no := r.Values[0] == 0
		switch r.Key {
		case "blocksize":
			p.block = r.Values[0]
		case "extents":
			p.noExtents = no
		case "delalloc":
			p.noDelalloc = no
		case "direct":
			p.ofAll = no
		}
	}
	return p
}

// hasMap reports whether the file gets a block map in place of extents.
func hasMap(sc *validate.Scenario) bool {
	return placeOf(sc).noExtents || slices.ContainsFunc(sc.Steps, func(s validate.Step) bool { return s.Setup != nil && s.Setup.Op == "noextents" })
}

// cost is how much a place is worth in steps: one on an ordinary file system is preferred.
func (p place) cost() int {
	n := 0
	if p.block != mkfsBlock {
		n += 20
	}
	for _, odd := range []bool{p.noExtents, p.noDelalloc, p.ofAll} {
		if odd {
			n += 40
		}
	}
	return n
}

// mount are the options of the mount.
func (p place) mount() string {
	switch {
	case p.ofAll:
		return "data=journal"
	case p.noDelalloc:
		return "nodelalloc"
	}
	return ""
}

func (p place) mkfs() string {
	if p.noExtents {
		return "-O ^extents,^64bit"
	}
	return ""
}
