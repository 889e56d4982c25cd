package probes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The counters have the order of the C struct, and the object has what is set and
// loaded by name.
func TestCachedLayout(t *testing.T) {
	spec, err := loadCached()
	if err != nil {
		t.Fatal(err)
	}
	returns := structOf(t, spec.Types, "cached_returns")
	fields := reflect.TypeFor[CachedReturns]()
	if len(returns.Members) != fields.NumField() {
		t.Fatalf("C has %d counters, Go %d", len(returns.Members), fields.NumField())
	}
	for i, m := range returns.Members {
		if f := fields.Field(i); !strings.EqualFold(m.Name, f.Name) || uintptr(m.Offset.Bytes()) != f.Offset {
			t.Errorf("counter %d is %s at %d in C, %s at %d in Go", i, m.Name, m.Offset.Bytes(), f.Name, f.Offset)
		}
	}
	for name, size := range map[string]uint32{"cfg_dev": 4, "cfg_ino": 8, "cached": uint32(fields.Size())} {
		if v := spec.Variables[name]; v == nil || v.Size() != size {
			t.Errorf("variable %s: %v, want %d bytes", name, v, size)
		}
	}
	if len(spec.Programs) != 1 || spec.Programs["fx_cached"] == nil {
		t.Errorf("programs %v, want fx_cached alone", spec.Programs)
	}
}

func TestCachedAgain(t *testing.T) {
	found := CachedReturns{Found: 1}
	for _, tt := range []struct {
		name      string
		miss, hit CachedReturns
		again     bool
		why       string // part of it
	}{
		{"without patch 6", CachedReturns{Zero: 1}, found, false, ""},
		{"with patch 6", CachedReturns{Again: 1}, found, true, ""},
		{"no lookup", CachedReturns{}, CachedReturns{}, false, "no cached lookup"},
		{"the block was cached", found, found, false, "already"},
		{"cached between two lookups", CachedReturns{Zero: 1, Found: 1}, found, false, "already"},
		{"another error", CachedReturns{Other: 1}, found, false, "did not agree"},
		{"both", CachedReturns{Zero: 1, Again: 1}, found, false, "did not agree"},
		{"never cached", CachedReturns{Zero: 1}, CachedReturns{Zero: 1}, false, "second walk"},
		{"always -EAGAIN", CachedReturns{Again: 1}, CachedReturns{Again: 1}, false, "second walk"},
		{"no second lookup", CachedReturns{Again: 1}, CachedReturns{}, false, "second walk"},
	} {
		r := CachedLookupResult{Miss: CachedWalk{CachedReturns: tt.miss}, Hit: CachedWalk{CachedReturns: tt.hit}}
		again, why := r.Again()
		if again != tt.again || (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("%s: %v, %q", tt.name, again, why)
		}
	}
}

// The symlink has a body of its own, leads back to its directory, and replaces one
// that an earlier run left, but nothing else.
func TestPrepareCachedLookup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, CachedLookupLink)
	for range 2 {
		if err := PrepareCachedLookup(dir); err != nil {
			t.Fatal(err)
		}
	}
	to, err := os.Readlink(path)
	if err != nil || len(to) < 60 || len(to) >= 1024 {
		t.Errorf("target of %d bytes, %v; want more than an inode holds and less than a block", len(to), err)
	}
	a, err1 := os.Stat(path)
	b, err2 := os.Stat(dir)
	if err := errors.Join(err1, err2); err != nil || !os.SameFile(a, b) {
		t.Errorf("the symlink does not lead to its directory: %v", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil || st.Atim.Sec <= st.Ctim.Sec {
		t.Errorf("access time %d, last change %d (%v): relatime would renew it", st.Atim.Sec, st.Ctim.Sec, err)
	}

}

// What has the name and is not ours stays: a file of the same length, a symlink of
// another length.
func TestCachedLookupNotOurs(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"a file":    func(path string) error { return os.WriteFile(path, []byte(slowTarget), 0o600) },
		"a symlink": func(path string) error { return os.Symlink("elsewhere", path) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, CachedLookupLink)
		if err := create(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := PrepareCachedLookup(dir); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s has the name, prepare: %v", name, err)
		}
		if _, err := CachedLookup(context.Background(), dir, false); !errors.Is(err, ErrNotPrepared) {
			t.Errorf("%s has the name, look up: %v", name, err)
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}

func TestCachedLookupNotPrepared(t *testing.T) {
	if _, err := CachedLookup(context.Background(), t.TempDir(), false); !errors.Is(err, ErrNotPrepared) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := CachedLookup(context.Background(), filepath.Join(t.TempDir(), "none"), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// However CachedLookup ends, it takes the symlink away.
func TestCachedLookupRemoves(t *testing.T) {
	dir := t.TempDir()
	if err := PrepareCachedLookup(dir); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	// Dropping would come first, and is not done when it is over already.
	if _, err := CachedLookup(ctx, dir, true); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, CachedLookupLink)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the symlink is still there: %v", err)
	}
}
