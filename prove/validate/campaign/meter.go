package campaign

import (
	"fmt"
	"os"
	"time"
)

// meterEvery is how often a meter shows itself.
const meterEvery = 200 * time.Millisecond

// meter shows on a terminal how far a run is, how fast it goes, and how long it
// will take. Elsewhere it shows nothing.
type meter struct {
	out    *os.File
	shown  bool // there is a line on the terminal
	tty    bool
	start  time.Time
	last   time.Time
	config string
	name   string // of the part
	total  int    // writes of the whole run
	before int    // writes of the parts that are over
	now    int    // writes of this part
}

func newMeter(out *os.File, tty bool) *meter { return &meter{out: out, tty: tty, start: time.Now()} }

// expect adds writes to what the whole run will make.
func (m *meter) expect(n int) { m.total += n }

// part begins another part of the run.
func (m *meter) part(name string) {
	m.before, m.now, m.name = m.before+m.now, 0, name
}

// done says how many writes of this part are made.
func (m *meter) done(n int) {
	m.now = n
	now := time.Now()
	if !m.tty || now.Sub(m.last) < meterEvery {
		return
	}
	m.last = now
	fmt.Fprintf(m.out, "\r\x1b[K%s", m.line(now.Sub(m.start)))
	m.shown = true
}

// line is what is shown after a time.
func (m *meter) line(elapsed time.Duration) string {
	done := m.before + m.now
	rate := float64(done) / max(elapsed.Seconds(), 0.001)
	left := "?"
	if done > 0 && done <= m.total {
		left = time.Duration(float64(m.total-done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	where := m.name
	if m.config != "" {
		where = m.config + ": " + m.name
	}
	return fmt.Sprintf("%s: %d of %d writes, %.0f/s, %s left", where, done, max(m.total, done), rate, left)
}

// clear takes the line away, so that others can write.
func (m *meter) clear() {
	if m.shown {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.shown = false
	}
}
