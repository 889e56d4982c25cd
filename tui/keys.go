package tui

import "charm.land/bubbles/v2/key"

// keyMap holds the only bindings; the help is made from them.
type keyMap struct {
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding
	Left, Right                             key.Binding
	Pause, Open, Back, Help, Suspend, Quit  key.Binding
}

func newKeyMap() keyMap {
	bind := func(help, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
	}
	return keyMap{
		Up:       bind("↑/k", "up", "up", "k"),
		Down:     bind("↓/j", "down", "down", "j"),
		Left:     bind("←/h", "cols left", "left", "h"),
		Right:    bind("→/l", "cols right", "right", "l"),
		PageUp:   bind("pgup/b", "page up", "pgup", "b", "ctrl+b"),
		PageDown: bind("pgdn/f", "page down", "pgdown", "f", "ctrl+f"),
		Top:      bind("g", "oldest", "g", "home"),
		Bottom:   bind("G", "newest", "G", "end"),
		Pause:    bind("space", "pause", "space", "p"),
		Open:     bind("enter", "one write", "enter"),
		Back:     bind("esc", "back", "esc", "backspace"),
		Help:     bind("?", "help", "?"),
		Suspend:  bind("ctrl+z", "suspend", "ctrl+z"),
		Quit:     bind("q", "quit", "q", "ctrl+c"),
	}
}

// short lists the bindings of the help line, the most needed first.
func (k *keyMap) short() []key.Binding {
	return []key.Binding{k.Quit, k.Help, k.Pause, k.Open, k.Back, k.Up, k.Down, k.Bottom}
}

// full lists all bindings for the help screen.
func (k *keyMap) full() []key.Binding {
	return []key.Binding{
		k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Left, k.Right,
		k.Pause, k.Open, k.Back, k.Help, k.Suspend, k.Quit,
	}
}
