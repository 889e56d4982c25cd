package whatif

// eventKind is what happens at an instant.
type eventKind uint8

// Events. Their subject is a writer, a job, or a file.
const (
	evEnter    eventKind = iota // a writer begins its next write
	evLock                      // a job comes to the first lock
	evChecked                   // a job gives it up, and wants it exclusive
	evDrain                     // a job that is no write waits for I/O in flight
	evSubmit                    // a job submits its I/O
	evReturn                    // a queued write returns
	evBack                      // a writer whose write another thread makes goes on
	evComplete                  // I/O is complete
	evWoken                     // the writer at the head of a lock's queue is awake
)

type event struct {
	at   int64
	seq  uint64 // of events at the same instant, which are in their order
	of   int32
	kind eventKind
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// agenda is a binary heap of events. Unlike container/heap it allocates nothing.
type agenda []event

func (a *agenda) push(e event) {
	h := append(*a, e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	*a = h
}

func (a *agenda) pop() event {
	h := *a
	first, n := h[0], len(h)-1
	h[0] = h[n]
	h = h[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	*a = h
	return first
}
