// Mutate asks whether the tests of a package would notice a mistake. It makes one
// small change at a time to a condition of the package (a mutant), runs the tests,
// and lists the changes that no test notices:
//
//	go run ./internal/mutate ./userspace-model
//	go run ./internal/mutate -list ./userspace-model
//	go run ./internal/mutate -run 'file7.go.*dioFlags' ./userspace-model
//	go run ./internal/mutate -o internal/mutate/RESULT.md ./userspace-model
//
// The source files stay as they are: mutants are compiled with go's -overlay, those
// of functions all at once, and the environment says to the test binary which one to
// be. Only one process runs at a time; all of userspace-model takes about a quarter
// of an hour of one processor. The exit status is 1 when a mutant survived that
// equivalent.txt does not explain, and 2 when nothing could be said.
//
// What is changed, in every function of the package's own files:
//
//   - each condition, and each operand of && and ||, is negated;
//   - < becomes <=, > becomes >= and the other way round; == becomes !=;
//   - && becomes ||, and the other way round;
//   - Yes becomes No, Unknown becomes Yes, true false, Shared Exclusive, and the
//     other way round;
//   - a case of a switch, or its default, is dropped;
//   - + becomes -, and the other way round, and a 1 that is added is left out.
//
// In a table outside of functions, each bit of an | is left out.
//
// A mutant that behaves like the original in every possible case cannot be
// noticed. These are listed in equivalent.txt with the reason, and counted apart.
// They are tried like the others: a line there that a test refutes is an error.
//
// A constant of type Behaviours that no condition asks for is reported by name: no
// mutant shows it, because the tables that hold its bit are compared with lists.
//
// It must never write to the package that it looks at.
package main
