package tui

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// The whole program: draws, takes keys, and ends; and it ends when its context
// does or when the feed does.
func TestProgram(t *testing.T) {
	for _, end := range []string{"q", "context", "feed"} {
		t.Run(end, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			feed := make(chan Snapshot)
			out := &watched{want: "exclusive", seen: make(chan struct{})}
			opts := testOptions
			opts.QuitAtEnd = end == "feed"
			in, keys := io.Pipe()
			defer keys.Close()
			done := make(chan error, 1)
			go func() {
				done <- Run(ctx, feed, opts, tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24))
			}()
			feed <- snapshot(1)
			select {
			case <-out.seen:
			case <-ctx.Done():
				t.Fatal("nothing was drawn")
			}
			switch end {
			case "q":
				_, _ = keys.Write([]byte("q"))
			case "context":
				cancel()
			case "feed":
				close(feed)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if end != "context" && ctx.Err() != nil {
				t.Error("it did not end by itself")
			}
		})
	}
}

// watched closes seen when want was written to it.
type watched struct {
	buf  bytes.Buffer
	want string
	seen chan struct{}
	told bool
}

func (w *watched) Write(b []byte) (int, error) {
	w.buf.Write(b)
	if !w.told && bytes.Contains(w.buf.Bytes(), []byte(w.want)) {
		w.told = true
		close(w.seen)
	}
	return len(b), nil
}
