// Package emit writes tests for points of coverage that were not taken: of the built-in
// scenarios the smallest that take them, as scripts of xfs_io and as tests of fstests.
//
// What a script takes is computed: the scenario is changed into what xfs_io can do, and its
// writes go through the model. A point that no script takes is told with what takes it.
package emit
