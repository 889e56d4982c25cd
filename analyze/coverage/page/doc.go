// Package page shows a coverage as one HTML page: the procedure of each variant in words that
// read as code, with the number of writes beside each way, as coverage tools show source.
package page
