package kernelvm

import (
	"strings"
	"testing"
)

func TestDebianMirror(t *testing.T) {
	const embeddedKey = `Types: deb
URIs: https://mirror.example/debian/
Suites: trixie trixie-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w
 -----END PGP PUBLIC KEY BLOCK-----
`
	for _, tt := range []struct {
		name, deb822, oneLine string
		want                  string // the .sources file for sid, "" for none
	}{
		{
			name: "deb822 with security first, a disabled and a foreign one",
			deb822: `# comment
Types: deb deb-src
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/debian/12/prod
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg

Types: deb
# comment
URIs: http://mirror.example/debian http://second.example/debian
Suites: bookworm bookworm-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
			want: `Types: deb
URIs: http://mirror.example/debian
Suites: sid
Components: main
Architectures: amd64
Languages: none
Targets: Packages
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
		},
		{
			name: "one-line",
			oneLine: `
# deb http://off.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64,arm64 signed-by=/etc/a.gpg,/etc/b.gpg check-valid-until=no] http://mirror.example/debian bookworm main contrib # main mirror
deb http://mirror.example/debian bookworm-backports main
`,
			want: `Types: deb
URIs: http://mirror.example/debian
Suites: sid
Components: main
Architectures: amd64
Languages: none
Targets: Packages
signed-by: /etc/a.gpg /etc/b.gpg
check-valid-until: no
`,
		},
		{
			name:   "key inside",
			deb822: embeddedKey,
			want: `Types: deb
URIs: https://mirror.example/debian/
Suites: sid
Components: main
Architectures: amd64
Languages: none
Targets: Packages
Signed-By: 
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w
 -----END PGP PUBLIC KEY BLOCK-----
`,
		},
		{
			name:   "a mirror list",
			deb822: "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\nComponents: main\n",
			want: `Types: deb
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: sid
Components: main
Architectures: amd64
Languages: none
Targets: Packages
`,
		},
		{name: "Ubuntu", oneLine: "deb http://archive.example/ubuntu noble main\n"},
		{name: "no main", oneLine: "deb http://vendor.example/debian bookworm stable\n"},
		{name: "nothing"},
		{name: "nonsense", deb822: "x\n y\n:\n", oneLine: "deb\ndeb [ http://x"},
	} {
		all := append(parseDeb822(strings.NewReader(tt.deb822)), parseOneLine(strings.NewReader(tt.oneLine))...)
		s, ok := debianMirror(all)
		got := ""
		if ok {
			got = s.forSuite("sid")
		}
		if got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestMirrorScorePrefersSnapshotsToVendors(t *testing.T) {
	snapshot := mirrorScore("http://snapshot.example/archive/debian/20250520T000000Z")
	if vendor := mirrorScore("https://vendor.example/debian/12/prod"); snapshot <= vendor {
		t.Errorf("snapshot %d, vendor %d", snapshot, vendor)
	}
	if n := mirrorScore("not an address"); n != 0 {
		t.Errorf("nonsense scores %d", n)
	}
}
