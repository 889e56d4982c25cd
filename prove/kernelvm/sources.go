package kernelvm

import (
	"bufio"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// aptSource is one entry of apt's configuration (sources.list(5)), in the words
// of the deb822 format whichever it was written in.
type aptSource struct {
	types, uris, suites, components []string
	disabled                        bool
	options                         []aptOption // the rest, such as Signed-By
}

// aptOption is a field of an entry. A value may span lines, as an embedded key
// does.
type aptOption struct {
	name, value string
}

// paragraphs reads the fields of what is written as deb822(5) says, without comments.
// Nonsense is left out.
func paragraphs(r io.Reader) (all [][]aptOption) {
	var cur []aptOption
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			all, cur = append(all, cur), nil
		case line[0] == ' ' || line[0] == '\t':
			if len(cur) > 0 {
				cur[len(cur)-1].value += "\n" + line
			}
		default:
			if name, value, ok := strings.Cut(line, ":"); ok {
				cur = append(cur, aptOption{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
	}
	return slices.DeleteFunc(append(all, cur), func(p []aptOption) bool { return len(p) == 0 })
}

// parseDeb822 reads a .sources file. Apt itself complains about nonsense.
func parseDeb822(r io.Reader) (all []aptSource) {
	for _, p := range paragraphs(r) {
		all = append(all, newSource(p))
	}
	return all
}

// newSource takes the fields that matter here out of the others. Those that choose among
// packages are left out: forSuite has its own.
func newSource(fields []aptOption) (s aptSource) {
	for _, o := range fields {
		switch strings.ToLower(o.name) {
		case "types":
			s.types = strings.Fields(o.value)
		case "uris":
			s.uris = strings.Fields(o.value)
		case "suites":
			s.suites = strings.Fields(o.value)
		case "components":
			s.components = strings.Fields(o.value)
		case "enabled":
			s.disabled = slices.Contains([]string{"no", "false", "0", "off", "without", "disable"}, strings.ToLower(o.value))
		case "architectures", "arch", "languages", "lang", "targets", "target", "pdiffs", "by-hash":
		default:
			s.options = append(s.options, o)
		}
	}
	return s
}

var oneLine = regexp.MustCompile(`^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+\S+)*)\s*$`)

// parseOneLine reads a sources.list file. Apt takes the names of its options as fields,
// too, in any case.
func parseOneLine(r io.Reader) (all []aptSource) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), "#")
		m := oneLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		fields := []aptOption{{"Types", "deb"}, {"URIs", m[2]}, {"Suites", m[3]}, {"Components", m[4]}}
		for _, word := range strings.Fields(m[1]) {
			name, value, _ := strings.Cut(word, "=")
			fields = append(fields, aptOption{name, strings.ReplaceAll(value, ",", " ")})
		}
		all = append(all, newSource(fields))
	}
	return all
}

// debianSuites are suites that a machine's main Debian mirror may be
// configured with.
var debianSuites = []string{
	"bullseye", "bookworm", "trixie", "forky", "duke", "sid",
	"oldoldstable", "oldstable", "stable", "testing", "unstable",
}

var snapshotPath = regexp.MustCompile(`/debian/\d{8}T\d{6}Z/?$`)

// debianMirror picks the entry for Debian's own main archive among all of a
// machine's: main component, a release of Debian, and an address that ends like
// a Debian mirror's. The first of the best is taken.
func debianMirror(all []aptSource) (aptSource, bool) {
	best, bestScore := aptSource{}, 0
	for _, s := range all {
		if s.disabled || !slices.Contains(s.types, "deb") || !slices.Contains(s.components, "main") ||
			!slices.ContainsFunc(s.suites, func(suite string) bool { return slices.Contains(debianSuites, suite) }) {
			continue
		}
		for _, uri := range s.uris {
			if score := mirrorScore(uri); score > bestScore {
				best, bestScore = s, score
				best.uris = []string{uri}
			}
		}
	}
	return best, bestScore > 0
}

// mirrorScore tells how much an address looks like a Debian mirror, 0 for not
// usable.
func mirrorScore(uri string) int {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Scheme == "cdrom" {
		return 0
	}
	p := strings.TrimRight(u.Path, "/")
	switch base := path.Base(p); {
	case base == "debian" || base == "debian.list" || snapshotPath.MatchString(u.Path):
		return 3
	case strings.Contains(p+"/", "/debian/"):
		return 2
	default:
		return 1
	}
}

// forSuite words the entry as a .sources file for another suite of the same
// mirror, for amd64 packages only.
func (s aptSource) forSuite(suite string) string {
	var b strings.Builder
	b.WriteString("Types: deb\nURIs: " + strings.Join(s.uris, " ") + "\nSuites: " + suite +
		"\nComponents: main\nArchitectures: amd64\nLanguages: none\nTargets: Packages\n")
	for _, o := range s.options {
		b.WriteString(o.name + ": " + o.value + "\n")
	}
	return b.String()
}
