package campaign

import (
	"context"
	"errors"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Patch 6 changes what a cache-only lookup returns that misses. Without patches 7
// and 8 no direct write makes one, but the walk over a slow symlink does.

// symlinkDir is the directory that is made below --dir for the symlink.
const symlinkDir = "ext4dio-symlink"

// prepareCacheMiss leaves a symlink for cacheMiss, which needs it out of the caches.
func (x *Run) prepareCacheMiss(dir string) error {
	if x.missed {
		return nil
	}
	return probes.PrepareCachedLookup(dir)
}

// cacheMiss lets the kernel look up a symlink's block in its cache only, and tells
// the identifier what it returned. What cannot be shown leaves patch 6 open.
func (x *Run) cacheMiss(ctx context.Context, dir string, dropCaches bool) error {
	if x.missed {
		return nil
	}
	res, err := probes.CachedLookup(ctx, dir, dropCaches)
	var unfit *hint.UnfitError
	if errors.As(err, &unfit) {
		x.id.NoCacheMiss(unfit.Error())
		return nil
	}
	if err != nil {
		return err
	}
	again, why := res.Again()
	if why != "" {
		x.id.NoCacheMiss(why)
		return nil
	}
	x.id.CacheMiss(again)
	x.missed = true
	return nil
}

// cacheMissIn does the same in a directory of the user's, where only dropping all
// unused inodes of the system takes the symlink out of the caches.
func (x *Run) cacheMissIn(ctx context.Context, parent string) error {
	dir, err := workload.OpenDir(parent, symlinkDir)
	if err != nil {
		return err
	}
	err = x.prepareCacheMiss(dir.Path)
	if err == nil {
		err = x.cacheMiss(ctx, dir.Path, true)
	}
	return errors.Join(err, dir.Close(false))
}
