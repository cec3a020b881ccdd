// The yardstick: a relay as one writes it in Go, a goroutine for each of the command's streams and a flush for each line.
//
//	relay NAME COMMAND [ARG]...
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// labeller writes the lines of one stream, each with its label in front.
type labeller struct {
	mutex  sync.Mutex
	writer *bufio.Writer
	label  string
}

func (l *labeller) write(line string) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if _, err := fmt.Fprintf(l.writer, "%s %s\n", l.label, line); err != nil {
		return err
	}
	return l.writer.Flush()
}

// relay passes on line by line until the stream ends; a last line without newline is a line, too.
func (l *labeller) relay(stream io.Reader) error {
	reader := bufio.NewReader(stream)
	for {
		line, err := reader.ReadString('\n')
		if length := len(line); length > 0 {
			if line[length-1] == '\n' {
				line = line[:length-1]
			}
			if err := l.write(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func run(name string, words []string) error {
	command := exec.Command(words[0], words[1:]...)
	command.Stdin = os.Stdin
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	var streams sync.WaitGroup
	var failures [2]error
	start := func(number int, stream io.Reader, to io.Writer, separator string) {
		streams.Add(1)
		go func() {
			defer streams.Done()
			relay := labeller{writer: bufio.NewWriter(to), label: name + " " + separator}
			failures[number] = relay.relay(stream)
		}()
	}
	start(0, stdout, os.Stdout, "›")
	start(1, stderr, os.Stderr, "»")
	streams.Wait()
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	return command.Wait()
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "relay: what is to be run?")
		os.Exit(125)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}
