package tui

import "charm.land/bubbles/v2/key"

// keyMap holds the only bindings; the help is made from them.
type keyMap struct {
	Up, Down, PageUp, PageDown, Top, Bottom, Left, Right key.Binding
	Next, Previous, Screens                              key.Binding
	Open, Back, Filter, Sort, Reverse, Pause             key.Binding
	Variants, WhatIf, Record, Report, GoTo               key.Binding
	Help, Suspend, Quit                                  key.Binding
}

func newKeyMap() keyMap {
	bind := func(help, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
	}
	return keyMap{
		Up:       bind("↑/k", "up", "up", "k"),
		Down:     bind("↓/j", "down", "down", "j"),
		Left:     bind("←/h", "other columns", "left", "h"),
		Right:    bind("→/l", "other columns", "right", "l"),
		PageUp:   bind("pgup", "page up", "pgup", "b", "ctrl+b"),
		PageDown: bind("pgdn", "page down", "pgdown", "f", "ctrl+f"),
		Top:      bind("g", "first", "g", "home"),
		Bottom:   bind("G", "last, follow", "G", "end"),
		Next:     bind("tab", "next screen", "tab"),
		Previous: bind("S-tab", "screen before", "shift+tab"),
		Screens:  bind("1-6", "screen", "1", "2", "3", "4", "5", "6"),
		Open:     bind("enter", "open", "enter"),
		Back:     bind("esc", "back", "esc", "backspace"),
		Filter:   bind("/", "filter", "/"),
		Sort:     bind("s", "sort by next", "s"),
		Reverse:  bind("S", "reverse sort", "S"),
		Pause:    bind("space", "pause", "space", "p"),
		Variants: bind("v", "all variants", "v"),
		WhatIf:   bind("x", "other kernel", "x"),
		Record:   bind("r", "record on/off", "r"),
		Report:   bind("w", "write report", "w"),
		GoTo:     bind("t", "go to time", "t"),
		Help:     bind("?", "help", "?"),
		Suspend:  bind("ctrl+z", "suspend", "ctrl+z"),
		Quit:     bind("q", "quit", "q", "ctrl+c"),
	}
}

// short lists the bindings of the help line of a screen, the most needed first.
func (m *model) short() []key.Binding {
	k := &m.keys
	switch {
	case m.prompt != nil:
		return []key.Binding{
			key.NewBinding(key.WithHelp("enter", "apply")), key.NewBinding(key.WithHelp("esc", "cancel")),
		}
	case m.help:
		return []key.Binding{k.Back, k.Up, k.Down, k.Quit}
	case m.whatIf != nil:
		left, right := k.Left, k.Right
		left.SetHelp("←", "variant before")
		right.SetHelp("→", "next variant")
		return []key.Binding{k.Back, left, right, k.Help, k.Quit}
	case m.one != nil:
		left, right := k.Left, k.Right
		left.SetHelp("←", "before")
		right.SetHelp("→", "next")
		return []key.Binding{k.Back, k.Variants, left, right, k.Report, k.Help, k.Quit}
	case m.screen == onWrites:
		return []key.Binding{k.Quit, k.Help, k.Open, k.Filter, k.Pause, k.Next, k.GoTo, k.Back, k.Record}
	case m.screen == onFindings:
		return []key.Binding{k.Quit, k.Help, k.Open, k.Report, k.Next, k.Pause}
	case m.screen == onProbes:
		return []key.Binding{k.Quit, k.Help, k.Next, k.Up, k.Down}
	}
	return []key.Binding{k.Quit, k.Help, k.Next, k.Open, k.Sort, k.Filter, k.Pause, k.WhatIf, k.Record, k.Report}
}

// full lists all bindings for the help screen.
func (k *keyMap) full() []key.Binding {
	return []key.Binding{
		k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Left, k.Right,
		k.Next, k.Previous, k.Screens, k.Open, k.Back, k.Filter, k.Sort, k.Reverse, k.Pause,
		k.Variants, k.WhatIf, k.GoTo, k.Record, k.Report, k.Help, k.Suspend, k.Quit,
	}
}
