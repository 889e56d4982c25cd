package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/export"
)

// onRequest writes to w which writes are in the kernel, each time that this process gets
// SIGUSR1, until the returned function is called.
func onRequest(ctx context.Context, w io.Writer, list func() ([]export.Inside, error)) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			if all, err := list(); err != nil {
				note(w, "cannot tell which writes are inside: %v", err)
			} else {
				_, _ = io.WriteString(w, export.InsideText(all)) // nobody may listen
			}
		}
	}()
	return func() {
		cancel()
		<-done
		signal.Stop(signals)
	}
}
