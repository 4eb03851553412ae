package main

import (
	"flag"
	"io"
)

// newFlags is a command's set of flags. It says nothing by itself: main prints what is wrong.
func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads flags before, between and after positional words, and hands each of these to `word`,
// which may add to the flags that are read after it.
func parse(flags *flag.FlagSet, words []string, word func(string) error) error {
	for {
		if err := flags.Parse(words); err != nil {
			return err
		}
		if flags.NArg() == 0 {
			return nil
		}
		if err := word(flags.Arg(0)); err != nil {
			return err
		}
		words = flags.Args()[1:]
	}
}
