#!/bin/sh
# vm-tests.sh GO-TEST-ARGUMENTS...: go test -v of many minutes. What failed is printed once
# more at the end, each test's messages under its name: among parallel tests they are far
# apart, and the end is what a reader of a long log looks at.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ go test -count=1 -v "$@"; echo "status $?"; } 2>&1 | tee "$log" | sed -u '$d'
status=$(sed -n '$s/^status //p' "$log")
[ "$status" = 0 ] && exit 0
echo "--- what failed, once more ---"
awk '
/^ *--- FAIL: / { failed[$3] = 1 }
/^=== (RUN|CONT|NAME|PAUSE) / { name = $3; next }
/^ *--- / { next }
/^(PASS|FAIL|ok|exit status)/ { next }
name != "" { text[name] = text[name] $0 "\n"; if (!(name in at)) { at[name] = ++n; order[n] = name } }
END { for (i = 1; i <= n; i++) if (order[i] in failed) printf "%s:\n%s", order[i], text[order[i]] }
' "$log"
exit "${status:-1}"
