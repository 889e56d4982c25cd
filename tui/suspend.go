package tui

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
)

// stopMsg says that somebody sent SIGTSTP.
type stopMsg struct{}

// passStops tells p of each SIGTSTP until the returned function is called.
func passStops(p *tea.Program) (end func()) {
	asked, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(asked, syscall.SIGTSTP)
	go func() {
		for {
			select {
			case <-asked:
				p.Send(stopMsg{})
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(asked)
		close(done)
	}
}

// suspend gives the terminal back, stops the program, and draws all of the screen when it
// goes on. It is for the key and for SIGTSTP, which the runtime cannot give its own
// meaning back once it was listened to: what stops the program is SIGSTOP.
func suspend() tea.Cmd { return tea.Exec(sleep{}, nil) }

// sleep is a command that needs no terminal: the process sleeps.
type sleep struct{}

// Run stops the process. A signal to oneself may take effect a little later, so that only
// the one by which it goes on says that it was stopped.
func (sleep) Run() error {
	on := make(chan os.Signal, 1)
	signal.Notify(on, syscall.SIGCONT)
	defer signal.Stop(on)
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	<-on
	return nil
}

func (sleep) SetStdin(io.Reader)  {}
func (sleep) SetStdout(io.Writer) {}
func (sleep) SetStderr(io.Writer) {}
