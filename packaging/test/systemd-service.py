#!/usr/bin/python3 -SE
"""A service that does what it is told, and writes down what it saw.

    systemd-service.py NAME [STEP]...

It does the steps one by one, then those that come line by line from /run/test/NAME.steps. What it saw goes to
/run/test/NAME.log. Signals are noted at any time, with their sender, and do nothing unless a step said so.
"""
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

name, first_steps = sys.argv[1], sys.argv[2:]
log = os.open(f"/run/test/{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
reactions = {}


def note(line):
    os.write(log, f"{line}\n".encode())


def abstract(address):
    """The address, as in sd_notify(3): a path, or an abstract name."""
    return address.replace("@", "\0", 1) if address[0] == "@" else address


def notify(message, descriptors=(), read=abstract):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(read(os.environ["NOTIFY_SOCKET"]))
        socket.send_fds(sender, [message.encode()], descriptors)


def listen_fds():
    """The descriptors, as in sd_listen_fds(3): for the process that LISTEN_PID names, and no other."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    return range(3, 3 + int(os.environ["LISTEN_FDS"]))


def end_by(which):
    """end-by SIGNAL: sent to this thread, because the other one waits for signals and would take it."""
    number = signal_number(which)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    signal.pthread_kill(threading.get_ident(), number)


def signal_number(which):
    base, _, offset = which.partition("+")
    return signal.Signals[f"SIG{base}"] + int(offset or 0)


def signal_name(number):
    if number > signal.SIGRTMIN:
        return f"RTMIN+{number - signal.SIGRTMIN}"
    return signal.Signals(number).name.removeprefix("SIG")


# The steps

def send(message):
    """send MESSAGE: to the notify socket; \\n separates lines, self is the own pid."""
    notify(message.replace("\\n", "\n").replace("PID=self", f"PID={os.getpid()}"))


def send_as_path(message):
    """send-as-path MESSAGE: as a client that supports paths only."""
    notify(message, read=lambda address: address)


def send_padded(message):
    """send-padded MESSAGE: as a client that connects with the whole sockaddr_un."""
    notify(message, read=lambda address: abstract(address).ljust(108, "\0"))


def reloaded(_):
    """The messages of a service of Type=notify-reload at a reload that takes no time."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
    notify("READY=1")


def flood(count):
    """flood COUNT: sends COUNT messages, as fast as they are read."""
    for number in range(1, int(count) + 1):
        notify(f"STATUS={number}")
        if number % 500 == 0:
            note(f"sent {number}")


def barrier(_):
    """As sd_notify_barrier(3): returns when all copies of the descriptor are closed, so all messages before are read."""
    ours, theirs = os.pipe()
    notify("BARRIER=1", [theirs])
    os.close(theirs)
    over = select.poll()
    over.register(ours, 0)
    over.poll()
    os.close(ours)
    note("barrier over")


def store(words):
    """store NAME TEXT: a descriptor with this text, for systemd to keep."""
    keep, text = words.split(" ", 1)
    descriptor = os.memfd_create(keep)
    os.write(descriptor, text.encode())
    notify(f"FDSTORE=1\nFDNAME={keep}", [descriptor])
    os.close(descriptor)


def ping(interval):
    """ping SECONDS: the watchdog, again and again until the next step comes."""
    while not select.select([steps], [], [], float(interval))[0]:
        notify("WATCHDOG=1")


def on(words):
    """on SIGNAL STEP: at SIGNAL, write its name and do STEP."""
    which, reaction = words.split(" ", 1)
    reactions[which] = reaction


def answer(_):
    """Accepts one connection of the first socket that systemd passed, and sends back what it reads there."""
    with socket.socket(fileno=os.dup(listen_fds()[0])) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.sendall(connection.recv(1000))


def pids(_):
    """Whether the variables that name a process name this one."""
    for variable in "LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID":
        value = os.environ.get(variable)
        note(f"{variable} {value and ('own' if value == str(os.getpid()) else 'other')}")


def descriptors(_):
    """The names of the descriptors that systemd passed, and what is in them."""
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    for descriptor, which in zip(listen_fds(), names):
        is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        note(f"descriptor {which} {'socket' if is_socket else os.pread(descriptor, 1000, 0).decode()}")
    note(f"{len(listen_fds())} descriptors")


def perform(step):
    word, _, rest = step.partition(" ")
    {
        "note": note,
        "send": send,
        "send-as-path": send_as_path,
        "send-padded": send_padded,
        "reloaded": reloaded,
        "flood": flood,
        "barrier": barrier,
        "store": store,
        "ping": ping,
        "on": on,
        "answer": answer,
        "pids": pids,
        "descriptors": descriptors,
        "variables": lambda _: note(" ".join(os.environ)),
        "variable": lambda which: note(f"{which} {os.environ[which]}"),
        "leave": lambda command: subprocess.Popen(["sh", "-c", f"exec {command}"]),
        "pause": lambda seconds: time.sleep(float(seconds)),
        "exit": lambda code: os._exit(int(code)),
        "end-by": end_by,
    }[word](rest)


def perform_all():
    try:
        for step in first_steps:
            perform(step)
        with open(steps, closefd=False) as lines:
            while line := lines.readline():
                perform(line.rstrip("\n"))
    except BaseException as error:
        note(f"failed: {error!r}")
        os._exit(99)


signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for pythons_own in signal.SIGINT, signal.SIGPIPE:
    signal.signal(pythons_own, signal.SIG_DFL)
pipe = f"/run/test/{name}.steps"
if not os.path.exists(pipe):
    os.mkfifo(pipe)
# Open for writing as well, so that it doesn't end when the first writer has ended.
steps = os.open(pipe, os.O_RDWR)
threading.Thread(target=perform_all).start()
while True:
    came = signal.sigwaitinfo(signal.valid_signals() - {signal.SIGCHLD})
    which = signal_name(came.si_signo)
    sender = {os.getppid(): "its parent", 1: "systemd"}.get(came.si_pid, "somebody else")
    note(f"{which} from {sender}")
    if which in reactions:
        perform(reactions[which])
