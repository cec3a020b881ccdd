// A stand-in for pmux, written for this benchmark: it keeps the processes of a file running, as one writes it in Go with the
// standard library, with goroutines for each process and a flush for each line. The file is in JSON, which is YAML too.
//
//	pmux FILE
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	leastWait = time.Second
	mostWait  = 64 * time.Second
	patience  = 10 * time.Second
)

type process struct {
	Name        string
	Cmd         string
	Args        []string
	NoRestartOn []int
}

// output writes whole lines to a stream that all processes share.
type output struct {
	mutex  sync.Mutex
	writer *bufio.Writer
}

func (o *output) line(name, separator, text string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	fmt.Fprintf(o.writer, "%s %s %s\n", name, separator, text)
	o.writer.Flush()
}

var (
	stdout = &output{writer: bufio.NewWriter(os.Stdout)}
	stderr = &output{writer: bufio.NewWriter(os.Stderr)}
)

// relay passes on line by line until the stream ends; a last line without newline is a line, too.
func (p *process) relay(stream io.Reader, to *output, separator string) {
	reader := bufio.NewReader(stream)
	for {
		line, err := reader.ReadString('\n')
		if length := len(line); length > 0 {
			if line[length-1] == '\n' {
				line = line[:length-1]
			}
			to.line(p.Name, separator, line)
		}
		if err != nil {
			return
		}
	}
}

func (p *process) remark(format string, words ...any) {
	stderr.line(p.Name, "~", fmt.Sprintf(format, words...))
}

// runOnce returns the exit code; -1 without one.
func (p *process) runOnce(stop context.Context) (int, error) {
	command := exec.Command(p.Cmd, p.Args...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := command.StdoutPipe()
	if err != nil {
		return -1, err
	}
	errorStream, err := command.StderrPipe()
	if err != nil {
		return -1, err
	}
	if err := command.Start(); err != nil {
		return -1, err
	}
	ended := make(chan struct{})
	go p.signalAtStop(stop, command.Process.Pid, ended)
	var streams sync.WaitGroup
	streams.Add(1)
	go func() {
		defer streams.Done()
		p.relay(errorStream, stderr, "»")
	}()
	p.relay(out, stdout, "›")
	streams.Wait()
	err = command.Wait()
	close(ended)
	return command.ProcessState.ExitCode(), err
}

// signalAtStop interrupts the process's group, and kills it if it hasn't ended some time later.
func (p *process) signalAtStop(stop context.Context, pid int, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-stop.Done():
	}
	syscall.Kill(-pid, syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(patience):
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

func (p *process) isDone(code int) bool {
	for _, last := range p.NoRestartOn {
		if code == last {
			return true
		}
	}
	return false
}

func (p *process) keepRunning(stop context.Context) {
	p.remark("starting process")
	defer p.remark("stopped process handler")
	var wait time.Duration
	for {
		begin := time.Now()
		code, err := p.runOnce(stop)
		if err != nil {
			p.remark("exit code %d, %v", code, err)
		} else {
			p.remark("exit code 0")
		}
		if stop.Err() != nil || p.isDone(code) {
			return
		}
		wait = (2*wait - time.Since(begin)).Truncate(time.Millisecond)
		if wait < leastWait {
			wait = leastWait
		}
		if wait > mostWait {
			wait = mostWait
		}
		p.remark("will restart process in %v", wait)
		select {
		case <-stop.Done():
			return
		case <-time.After(wait):
		}
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file struct{ Processes []*process }
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	if len(file.Processes) == 0 {
		return errors.New("the file has no processes")
	}
	stop, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(1)
	}()
	var all sync.WaitGroup
	for _, p := range file.Processes {
		p := p
		all.Add(1)
		go func() {
			defer all.Done()
			p.keepRunning(stop)
		}()
	}
	all.Wait()
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "pmux: one file is needed")
		os.Exit(125)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pmux:", err)
		os.Exit(1)
	}
}
