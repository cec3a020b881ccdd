//! The least a wrapper can cost: no C library, no options, no messages. It is a measure, not a tool.
#![no_std]
#![no_main]

mod bare;

use bare::{Arguments, Stack, Strings};

struct Command {
    arguments: Strings,
    environment: Strings,
    parent: i32,
    mask: u64,
}

const ALL: u64 = !0;

fn run(arguments: Arguments) -> i32 {
    let mut stack = Stack::new();
    let command = Command {
        arguments: arguments.from(1),
        environment: arguments.environment(),
        parent: bare::own_pid(),
        mask: bare::block(ALL),
    };
    let child = bare::spawn(&mut stack, become_command, &command);
    if child < 0 {
        return 125;
    }
    let mut ended = None;
    loop {
        match bare::wait_for_signal(ALL, None) {
            bare::CHLD => {
                while let Some((pid, status)) = bare::reap() {
                    if pid == child {
                        ended = Some(status);
                    }
                }
                if let Some(status) = ended {
                    return if status & 0x7f == 0 { status >> 8 & 0xff } else { 128 + (status & 0x7f) };
                }
            }
            signal if signal > 0 => bare::send(child, signal),
            _ => {}
        }
    }
}

extern "C" fn become_command(command: &Command) -> ! {
    bare::die_with(command.parent);
    bare::block(command.mask);
    bare::execute(command.arguments, command.environment);
    bare::exit(127)
}
