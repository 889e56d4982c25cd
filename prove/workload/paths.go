package workload

import "errors"

// Paths are the submission paths of one task, each opened when it is first asked for.
// The zero value has none open.
type Paths struct{ open map[path]Engine }

type path struct {
	name  EngineName
	depth int
}

// Open is the path with this name for up to depth writes at a time. Errors are those of
// NewEngine.
func (p *Paths) Open(name EngineName, depth int) (Engine, error) {
	key := path{name, depth}
	if e := p.open[key]; e != nil {
		return e, nil
	}
	e, err := NewEngine(name, depth)
	if err != nil {
		return nil, err
	}
	if p.open == nil {
		p.open = map[path]Engine{}
	}
	p.open[key] = e
	return e, nil
}

// Close closes all of them.
func (p *Paths) Close() error {
	var err error
	for _, e := range p.open {
		err = errors.Join(err, e.Close())
	}
	return err
}

// Missing tries submission paths for up to depth writes at a time, and says of each that
// this kernel does not offer why; these errors wrap ErrUnfit.
func Missing(names []EngineName, depth int) (map[EngineName]error, error) {
	missing := map[EngineName]error{}
	for _, name := range names {
		e, err := NewEngine(name, depth)
		if errors.Is(err, ErrUnfit) {
			missing[name] = err
			continue
		}
		if err == nil {
			err = e.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	return missing, nil
}
