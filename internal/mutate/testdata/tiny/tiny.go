// Package tiny has changes of every fate: one that its tests notice, one that they
// do not, one that does not compile, and one outside of a function.
package tiny

// Mask has two bits.
const Mask = 1 | 4

// Fits reports whether n blocks fit, and Full whether they fill it.
func Fits(n int) bool {
	if n == 9 {
		return true
	}
	return n < 8
}

// Full is never tested.
func Full(n int) bool { return n == 8 }

// Odd does not compile without its case.
func Odd(n int) bool {
	rest := n % 2
	switch {
	case rest == 0:
		return false
	}
	return true
}

// Double is left by a panic when its loop does not end.
func Double(n int) (sum int) {
	for i := 0; i < 2; i++ {
		sum += n
		if i > 9 {
			panic("it does not end")
		}
	}
	return sum
}
