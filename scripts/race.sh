#!/bin/sh
# race.sh: runs the tests of every package that has goroutines under Go's race detector.
# The packages are found here, so that a new one is covered by itself: any that starts a
# goroutine, in its tests too, or has what guards one from another. What takes long for
# the number of its cases is left out (-short). It needs a C compiler.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=1
cc=$(go env CC)
if ! command -v "${cc%% *}" >/dev/null 2>&1; then
	echo "race: skipped: there is no C compiler ($cc) here" >&2
	[ -z "${CI-}" ]
	exit
fi
goroutines='^([^/"]|[^/]/)*\bgo (func\b|[[:alnum:]_.]+\()|\.Go\(|AfterFunc\(|^(import )?[[:space:]]*"sync(/atomic)?"$'
packages=$(
	go list -f '{{range .GoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}{{range .TestGoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}' ./... | while read -r package file; do
		[ -z "$package" ] || ! grep -qE "$goroutines" "$file" || echo "$package"
	done | sort -u
)
[ -n "$packages" ] || { echo "race: found no package with goroutines" >&2; exit 1; }
# shellcheck disable=SC2086
go test -race -short $packages
