#!/bin/sh
# bpftrace.sh DIR [SUITE]: unpacks Debian's bpftrace of SUITE (sid) with all its
# libraries into DIR, without installing anything, for `make bench-cost`. The
# program is started as DIR/run, through its own loader and C library.
set -eu
dir=$1 suite=${2:-sid}
[ ! -x "$dir/run" ] || exit 0
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
apt=$(cd "$dir/apt" && pwd)
: >"$apt/status"
# This machine's own Debian mirror, with the suite replaced.
uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
	grep -v '^ *#' | grep -o 'https\{0,1\}://[^ ]*' | grep '/debian/*$' | head -n 1)
[ -n "$uri" ] || { echo "bpftrace.sh: apt's sources name no Debian mirror" >&2; exit 3; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$apt/sources.list"
private() {
	apt-get -qq -o Dir::State="$apt" -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" \
		-o Dir::Cache="$apt/cache" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
echo "fetching bpftrace of Debian's $suite into $dir"
private update
private install -y --download-only --no-install-recommends bpftrace >/dev/null
for deb in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$dir"; done
rm -rf "$dir/apt" "$dir/usr/share" "$dir/usr/lib/python3"*
cat >"$dir/run" <<'RUN'
#!/bin/sh
# Where this file lies is where everything is.
top=${0%/*}
export BPFTRACE_MAX_STRLEN=64
exec "$top"/usr/lib64/ld-linux-x86-64.so.2 --library-path "$top/usr/lib/x86_64-linux-gnu" "$top/usr/bin/bpftrace" "$@"
RUN
chmod +x "$dir/run"
