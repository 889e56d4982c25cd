package tui

import (
	"strconv"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

//go:generate go test -count=1 . -run KeysPage -update

// keyMap holds the only bindings; the help and the table of docs/live.md are made from them.
type keyMap struct {
	Up, Down, PageUp, PageDown, Top, Bottom, Left, Right key.Binding
	Next, Previous, Screens                              key.Binding
	Open, Back, Filter, Sort, Reverse, Pause             key.Binding
	Variants, WhatIf, GoTo, Record, Report               key.Binding
	Help, Suspend, Quit                                  key.Binding

	all []key.Binding // in the order of the help
}

// newKeyMap makes the bindings for so many tabs; those that o does not offer are not
// enabled.
func newKeyMap(o *Options, tabs int) keyMap {
	var all []key.Binding
	bindIf := func(offered bool, help, desc string, keys ...string) key.Binding {
		b := key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, desc))
		b.SetEnabled(offered)
		all = append(all, b)
		return b
	}
	bind := func(help, desc string, keys ...string) key.Binding { return bindIf(true, help, desc, keys...) }
	var numbers []string
	for i := range tabs {
		numbers = append(numbers, strconv.Itoa(i+1))
	}
	k := keyMap{ // in the order of the help: the calls are made from the first to the last
		Up:       bind("↑/k", "up", "up", "k"),
		Down:     bind("↓/j", "down", "down", "j"),
		PageUp:   bind("pgup", "page up", "pgup", "b", "ctrl+b"),
		PageDown: bind("pgdn", "page down", "pgdown", "f", "ctrl+f"),
		Top:      bind("g", "first", "g", "home"),
		Bottom:   bind("G", "last, follow", "G", "end"),
		Left:     bind("←/h", "other columns", "left", "h"),
		Right:    bind("→/l", "other columns", "right", "l"),
		Next:     bind("tab", "next screen", "tab"),
		Previous: bind("S-tab", "screen before", "shift+tab"),
		Screens:  bind("1-"+strconv.Itoa(tabs), "screen", numbers...),
		Open:     bind("enter", "open", "enter"),
		Back:     bind("esc", "back", "esc", "backspace"),
		Filter:   bind("/", "filter", "/"),
		Sort:     bind("s", "sort by next", "s"),
		Reverse:  bind("S", "reverse sort", "S"),
		Pause:    bind("space", "pause", "space", "p"),
		Variants: bind("v", "all variants", "v"),
		WhatIf:   bindIf(o.WhatIf != nil, "x", "other kernel", "x"),
		GoTo:     bindIf(o.Window != nil, "t", "go to time", "t"),
		Record:   bindIf(o.Record != nil, "r", "record on/off", "r"),
		Report:   bindIf(o.Report != nil, "w", "write report", "w"),
		Help:     bind("?", "help", "?"),
		Suspend:  bindIf(o.CanSuspend, "ctrl+z", "suspend", "ctrl+z"),
		Quit:     bind("q", "quit", "q", "ctrl+c"),
	}
	k.all = all
	return k
}

// number is the key of a tab, counted from 0.
func (k *keyMap) number(tab int) key.Binding {
	return key.NewBinding(key.WithKeys(k.Screens.Keys()[tab]))
}

// sideways are the keys to the left and right, with the names that they have on a screen.
func (k *keyMap) sideways(before, next string) (left, right key.Binding) {
	left, right = k.Left, k.Right
	left.SetHelp("←", before)
	right.SetHelp("→", next)
	return left, right
}

// everywhere are the keys that do the same on all screens.
func (m *model) everywhere() []keyed {
	k := &m.keys
	return []keyed{
		{k.Quit, func() tea.Cmd { return tea.Quit }}, {k.Suspend, suspend}, {k.Help, m.showHelp},
		{k.Pause, m.togglePause}, {k.Record, m.record}, {k.Report, m.report},
	}
}
