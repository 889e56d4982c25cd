// Package parquet writes judged writes as an Apache Parquet file. The columns bear the
// names of the JSON fields; lists are lists of groups, names of kinds are dictionary
// encoded, and a fact that is not known is null. Texts that come from the system are
// escaped, so that no reader shows a control character.
//
// The file is made row group by row group, in constant memory, but it cannot be read
// before Close has written its end.
package parquet
