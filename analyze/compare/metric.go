package compare

import (
	"math"

	"github.com/ext4dio/ext4dio-trace/internal/stats"
)

var nan = math.NaN()

// Kind is how two values of a number are compared.
type Kind uint8

// Kinds of numbers.
const (
	Share Kind = iota // a part of the writes: by the difference, in points
	Ratio             // a rate or a time: by how many times as large it is
	Time              // a time that may be 0: by the difference, ns
)

var kindWords = [...]string{"share", "ratio", "time"}

func (k Kind) String() string { return kindWords[k] }

// leastShare is what a share has to change by, whatever --least says.
const leastShare = 0.01

// enoughBeyond is how many writes have to be on each side of a quantile.
const enoughBeyond = 10

// measured is a number of one side.
type measured struct {
	value  float64      // NaN where there is none
	spread stats.Spread // of value, of a Ratio that of its logarithm
	few    string       // why it cannot be compared, else ""
}

// metric is a number that is compared.
type metric struct {
	name string
	kind Kind
	unit string // "1/s", "ns" or ""
	of   func(*series, uint64) measured
	// queued is what part of the number depends on the order in which writers queue.
	queued dependence
}

// dependence is how much a number depends on the order in which writers queue.
type dependence uint8

const (
	notOnOrder dependence = iota
	byWaits               // as far as writes wait: throughput and latency
	allOfIt               // waits
)

// orderSpread is the standard error of the logarithm of a wait, of writes that queue for
// i_rwsem behind those of other classes. The order in which they queue can hold for a whole
// run, so that no part of the run tells how long they would wait in another one. It was
// measured on 25 recordings of one workload with three classes: 0.22 to 0.36.
const orderSpread = 0.3

// order is that part of the standard error: of a Time in ns, else of the logarithm. others is
// the share of other classes in the writes of the file, waits that of waits in the latency.
func (m *metric) order(value, others, waits float64) float64 {
	of := [...]float64{0, waits, 1}[m.queued] * others * orderSpread
	if m.kind == Time {
		of *= value
	}
	return of
}

const (
	tooFew   = "too few windows of time with such writes"
	tooRare  = "too few writes beyond it"
	noSuch   = "not known of any write"
	noneSeen = "it is 0 on one side"
	isMix    = "classes are mixed"
)

// metrics are those of every class, in the order in which they are shown.
var metrics = []metric{
	{"throughput", Ratio, "1/s", rate, byWaits},
	share("exclusive", func(w *window) (n, of float64) { return w.exclusive, w.locks }),
	share("restarted", func(w *window) (n, of float64) { return w.restarted, w.passes }),
	share("refused", func(w *window) (n, of float64) { return w.refused, w.writes }),
	share("failed", func(w *window) (n, of float64) { return w.failed, w.writes }),
	{"mean wait", Time, "ns", meanWait, allOfIt},
	quantile("p99 of waits", 0.99, allOfIt, func(w *window) bins { return w.waited }),
	{"mean latency", Ratio, "ns", meanLatency, byWaits},
	quantile("p50 of latency", 0.5, byWaits, func(w *window) bins { return w.latency }),
	quantile("p99 of latency", 0.99, byWaits, func(w *window) bins { return w.latency }),
}

// rate is how many writes a second were written, from the first entry to the last return.
func rate(s *series, seed uint64) measured {
	written := func(w *window) float64 { return w.written }
	n := s.sum(written)
	if s.last <= s.start || n == 0 {
		return measured{value: nan, few: noSuch}
	}
	m := measured{value: n / (float64(s.last-s.start) / 1e9)}
	counts, ones := s.column(written), s.column(func(*window) float64 { return 1 })
	m.spread = stats.Mean(counts, ones, seed, true).AtMost(s.with(written))
	m.spread.Value = math.Log(m.value)
	return m.checked()
}

// checked says why m cannot be compared, if that is so.
func (m measured) checked() measured {
	if m.few == "" && !m.spread.Known() {
		m.few = tooFew
	}
	return m
}

// share makes the metric of a part of the writes.
func share(name string, of func(*window) (n, of float64)) metric {
	return metric{name, Share, "", func(s *series, seed uint64) measured {
		hits := s.column(func(w *window) float64 { n, _ := of(w); return n })
		tries := s.column(func(w *window) float64 { _, n := of(w); return n })
		m := measured{spread: stats.Share(hits, tries, seed)}
		if m.value = m.spread.Value; math.IsNaN(m.value) {
			m.few = noSuch
		}
		return m.checked()
	}, notOnOrder}
}

func meanWait(s *series, seed uint64) measured {
	return mean(s, seed, false, func(w *window) float64 { return w.waitNs }, func(w *window) float64 { return w.waits })
}

func meanLatency(s *series, seed uint64) measured {
	m := mean(s, seed, true, func(w *window) float64 { return w.spentNs }, func(w *window) float64 { return w.latencies })
	m.value = math.Exp(m.value)
	return m
}

func mean(s *series, seed uint64, logs bool, sum, count func(*window) float64) measured {
	m := measured{spread: stats.Mean(s.column(sum), s.column(count), seed, logs)}
	if m.value = m.spread.Value; math.IsNaN(m.value) {
		m.few = noSuch
	}
	return m.checked()
}

// quantile makes the metric of a quantile of times. One of 0 is shown and not compared: the
// mean tells of the others.
func quantile(name string, q float64, queued dependence, of func(*window) bins) metric {
	return metric{name, Ratio, "ns", func(s *series, seed uint64) measured {
		t := s.times(of)
		with := s.with(func(w *window) float64 { return float64(len(of(w))) })
		ones := s.column(func(*window) float64 { return 1 })
		m := measured{value: t.quantile(q, ones)}
		beyond := 0.0
		for _, row := range t.rows {
			for _, c := range row {
				beyond += c.n
			}
		}
		beyond *= min(q, 1-q)
		switch {
		case math.IsNaN(m.value):
			m.few = noSuch
		case m.value <= 0:
			m.few = noneSeen
		case beyond < enoughBeyond:
			m.few = tooRare
		default:
			m.spread = stats.Bootstrap(len(s.windows), seed, func(w []float64) float64 { return math.Log(t.quantile(q, w)) }).AtMost(with)
		}
		return m.checked()
	}, queued}
}
