package probes

import "testing"

// TestSkips: a skip puts those writes in doubt that ran between the reading before it
// and the one that found it, and no others.
func TestSkips(t *testing.T) {
	var k skips
	if _, fresh := k.between(1, 2); fresh {
		t.Error("nothing was read, and something is known")
	}
	k.add(100, 110, 0)
	k.add(200, 210, 3)
	k.add(300, 310, 3)
	for _, c := range []struct {
		from, to   uint64
		any, fresh bool
	}{
		{50, 60, true, true}, // before the first reading: it counts from the begin
		{105, 150, true, true},
		{120, 150, true, true},
		{205, 250, true, true}, // the reading was under way
		{210, 250, false, true},
		{220, 300, false, true},
		{220, 301, false, false}, // the last reading began too early to tell
	} {
		if any, fresh := k.between(c.from, c.to); any != c.any || fresh != c.fresh {
			t.Errorf("from %d to %d: %v, known %v; want %v, %v", c.from, c.to, any, fresh, c.any, c.fresh)
		}
	}
	// A reading that another one overtook tells nothing new.
	k.add(250, 400, 1)
	if any, fresh := k.between(220, 300); any || !fresh {
		t.Errorf("an old reading counts: %v, known %v", any, fresh)
	}
}

// TestSkipsAreBounded: what is forgotten is in doubt from the begin.
func TestSkipsAreBounded(t *testing.T) {
	var k skips
	for i := range uint64(4 * maxMarks) {
		k.add(10*i, 10*i+1, min(i, 1))
	}
	if len(k.marks) > maxMarks {
		t.Errorf("%d marks", len(k.marks))
	}
	last := uint64(10 * (4*maxMarks - 1))
	if any, _ := k.between(last-50, last); any {
		t.Error("a skip of long ago puts the newest write in doubt")
	}
	if any, _ := k.between(5, last); !any {
		t.Error("a write as old as the skip is not in doubt")
	}
}
