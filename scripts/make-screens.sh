#!/bin/sh
# Makes docs/live-*.svg: what "live" shows of the second test of the series, on a kernel
# before it and on one with its first five patches, over a disk of 5 ms, by a clock that counts
# instructions, so that it does not matter what else this machine does. It needs tmux, and
# Python's rich (Debian: python3-rich), which draws the screens.
#
#   scripts/make-screens.sh BIN
set -eu
bin=$1
docs=$(dirname "$0")/../docs
socket=
mkdir -p "$docs"
trap 'tmux -L "$socket" kill-server 2>/dev/null || true' EXIT

# picture TITLE: a screen of text with SGR sequences as an SVG file of its text. It asks
# nobody for a font: a reader has one of his own, and each piece of text is given its width.
picture() {
	python3 -c '
import os, re, sys
from rich.console import Console
from rich.text import Text
screen = Console(record=True, width=100, file=open(os.devnull, "w"), force_terminal=True, color_system="truecolor")
screen.print(Text.from_ansi(sys.stdin.read(), no_wrap=True), end="")
svg = screen.export_svg(title=sys.argv[1])
print(re.sub(r"\s*@font-face {.*?}", "", svg, flags=re.DOTALL))
' "$1"
}

# make NAME KERNEL PATTERN TITLE: the first screen that shows the pattern, some seconds on
make() {
	socket=e4d-$1
	tmux -L "$socket" new-session -d -x 100 -y 17 \
		"TERM=xterm-256color '$bin' vm --kernel '$2' --smp 1 --count-instructions --null-blk 512M --latency 5ms -- live -- ext4dio-trace bench test2 --dir /mnt --jobs 8 --for 60s"
	for _ in $(seq 300); do
		sleep 1
		tmux -L "$socket" capture-pane -p | grep -q "$3" && break
	done
	sleep 12
	tmux -L "$socket" capture-pane -ep | picture "$4" >"$docs/$1.svg.tmp"
	tmux -L "$socket" capture-pane -p | grep "$3"
	mv "$docs/$1.svg.tmp" "$docs/$1.svg"
	tmux -L "$socket" kill-server
}

make live-7.2 debian:sid 'i_rwsem .*EXCLUSIVE' 'ext4dio-trace live: unaligned overwrites on Linux 7.2'
make live-7.3 debian:trixie-backports 'i_rwsem .*shared' 'ext4dio-trace live: the same on Linux 7.3'
