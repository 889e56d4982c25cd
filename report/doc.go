// Package report makes of judged writes what one attaches to a bug report: one HTML file
// that needs nothing else, not even JavaScript, and the same as plain text for a mail.
//
// A Report is filled row by row; its memory is bounded, and where something was cut, it
// says so. What is missing comes first. It never calls the network, and every text that
// comes from the traced system is escaped.
package report
