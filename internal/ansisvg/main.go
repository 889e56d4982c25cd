package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "ansisvg: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("ansisvg", flag.ContinueOnError)
	p := picture{}
	flags.StringVar(&p.theme, "theme", "auto", strings.Join(themes, ", "))
	flags.StringVar(&p.title, "title", "", "what a reader who cannot see it is told")
	flags.IntVar(&p.cols, "cols", 0, "at least so many `columns`")
	flags.IntVar(&p.rows, "rows", 0, "at least so many `lines`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !slices.Contains(themes, p.theme) {
		return fmt.Errorf("-theme %q is none of %s", p.theme, strings.Join(themes, ", "))
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: the screen comes on standard input", flags.Arg(0))
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read screen: %w", err)
	}
	w := bufio.NewWriter(out)
	p.write(w, parse(text))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}
