package validate

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// The scenarios that come with the program. They lie here and not in testdata
// because the program itself carries them.
//
//go:embed scenarios/*.txt
var builtin embed.FS

// Builtin returns the scenarios that come with the program, by theme and then in
// the order of the text.
func Builtin() ([]Scenario, error) { return ParseFS(builtin, "scenarios") }

// ParseFS reads the texts *.txt in a directory. Names must be unique over all.
func ParseFS(fsys fs.FS, dir string) ([]Scenario, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.txt"))
	if err != nil {
		return nil, fmt.Errorf("list scenarios: %w", err)
	}
	slices.Sort(files)
	var out []Scenario
	where := map[string]string{}
	for _, f := range files {
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("read scenarios: %w", err)
		}
		theme := strings.TrimSuffix(path.Base(f), ".txt")
		scs, err := Parse(theme, text)
		if err != nil {
			return nil, err
		}
		for _, s := range scs {
			if other, ok := where[s.Name]; ok {
				return nil, wrongText(theme, s.Line, fmt.Sprintf("scenario %q is also in %s.txt", s.Name, other))
			}
			where[s.Name] = theme
		}
		out = append(out, scs...)
	}
	return out, nil
}

// Select keeps the scenarios whose name or theme matches a glob. The error wraps
// workload.ErrUsage when the glob is broken or nothing matches.
func Select(scenarios []Scenario, glob string) ([]Scenario, error) {
	var out []Scenario
	for _, s := range scenarios {
		byName, err := path.Match(glob, s.Name)
		if err != nil {
			return nil, fmt.Errorf("select scenarios %q: %w: %w", glob, workload.ErrUsage, err)
		}
		if byTheme, _ := path.Match(glob, s.Theme); byName || byTheme {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("select scenarios %q: %w: no scenario or theme has such a name", glob, workload.ErrUsage)
	}
	return out, nil
}
