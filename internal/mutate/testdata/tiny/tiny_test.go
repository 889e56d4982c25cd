package tiny

import "testing"

func TestFits(t *testing.T) {
	for n, want := range map[int]bool{7: true, 8: false, 9: true} {
		if Fits(n) != want {
			t.Errorf("Fits(%d) is not %v", n, want)
		}
	}
}

// TestFitsSlowly stands for a test that is left for last.
func TestFitsSlowly(t *testing.T) {
	if testing.Short() {
		t.Error("a slow test in the first round")
	}
	if Fits(10) {
		t.Error("10 fits")
	}
}

func TestMask(t *testing.T) {
	if Mask != 5 {
		t.Error("Mask")
	}
}

func TestDouble(t *testing.T) {
	t.Run("of 2", func(t *testing.T) {
		if got := Double(2); got != 4 {
			t.Errorf("Double(2) = %d", got)
		}
	})
}
