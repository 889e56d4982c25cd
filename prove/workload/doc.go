// Package workload makes real O_DIRECT writes on a mounted ext4: engines for
// each submission path, file layouts, and a generator whose writes follow from
// a seed alone.
//
// It writes only to files in a directory that it made itself and marked as its
// own, never to anything else.
package workload
