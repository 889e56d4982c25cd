package tui

import (
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Each action is called outside of Update, and what it says is shown.
func TestActions(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	take(m, snapshot(1))
	for _, step := range []struct{ key, want string }{
		{"r", "records"}, {"r", "has recorded"}, {"w", "wrote it"},
	} {
		_, cmd := m.Update(tea.KeyPressMsg{Code: rune(step.key[0]), Text: step.key})
		m.Update(cmd())
		if !strings.Contains(ansi.Strip(m.View().Content), step.want) {
			t.Errorf("%s does not say %q", step.key, step.want)
		}
		recording := snapshot(1)
		recording.Recording = step.want == "records"
		take(m, recording)
		if got := strings.Contains(ansi.Strip(m.View().Content), "REC  Linux"); got != recording.Recording {
			t.Errorf("%s: REC is shown: %v", step.key, got)
		}
	}
	m.Update(saidMsg{err: errors.New("no room")})
	if !strings.Contains(m.View().Content, "no room") {
		t.Error("an error is not shown")
	}
}
