package workload

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// pool is what applications do that must not block: each write is tried with RWF_NOWAIT,
// and what is refused, another thread writes.
type pool struct {
	ask    chan Request
	answer chan Result
}

func newPool() Engine {
	p := &pool{ask: make(chan Request), answer: make(chan Result)}
	go p.wait()
	return p
}

// wait makes the writes that were refused.
func (p *pool) wait() {
	runtime.LockOSThread()
	setThreadName("e4d-pool")
	for r := range p.ask {
		p.answer <- ended(unix.Pwritev2(r.Fd, r.Segs, r.Pos, r.Flags))
	}
}

func (p *pool) Do(reqs []Request) ([]Result, error) {
	return inTurn(reqs, func(r Request) (Result, error) {
		res := ended(unix.Pwritev2(r.Fd, r.Segs, r.Pos, r.Flags|unix.RWF_NOWAIT))
		if errors.Is(res.Err, unix.EAGAIN) {
			p.ask <- r
			res = <-p.answer
		}
		return res, nil
	})
}

func (p *pool) Close() error {
	close(p.ask)
	return nil
}
