package hint

import (
	"os"
	"strings"
)

// AsRoot is what was typed, with sudo before it. A program without a path is one of PATH.
func AsRoot() string { return "sudo " + Words(os.Args...) }

// Words joins words as a shell takes them apart again.
func Words(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// plain are the characters that mean themselves to every shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + "%+,-./:=@_"

func quote(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
