package campaign

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	m := &meter{total: 1000}
	m.part("scenarios")
	if got := m.line(0); got != "scenarios: 0 of 1000 writes, 0/s, ? left" {
		t.Error(got)
	}
	m.now = 100
	m.part("generated")
	m.now, m.config = 150, "1k"
	if got := m.line(10 * time.Second); got != "1k: generated: 250 of 1000 writes, 25/s, 30s left" {
		t.Error(got)
	}
	m.now = 2000 // more than expected
	if got := m.line(10 * time.Second); got != "1k: generated: 2100 of 2100 writes, 210/s, ? left" {
		t.Error(got)
	}
}
