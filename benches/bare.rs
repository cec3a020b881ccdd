//! What a program without a C library needs: its start, system calls, and children.
//!
//! The start-up of a C library costs more than what is measured here. The measure (`floor.rs`) and the child (`child.rs`)
//! cost as little as the kernel allows.
// Each program uses a part of it.
#![allow(dead_code)]

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const SIGPROCMASK: usize = 14;
    pub const GETPID: usize = 39;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const GETPPID: usize = 110;
    pub const SIGTIMEDWAIT: usize = 128;
    pub const PRCTL: usize = 157;
    pub const CLOCK_GETTIME: usize = 228;
    pub const CLOCK_NANOSLEEP: usize = 230;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const SIGNALFD4: usize = 289;
    pub const PIPE2: usize = 293;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const PIPE2: usize = 59;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const PPOLL: usize = 73;
    pub const SIGNALFD4: usize = 74;
    pub const EXIT_GROUP: usize = 94;
    pub const CLOCK_GETTIME: usize = 113;
    pub const CLOCK_NANOSLEEP: usize = 115;
    pub const KILL: usize = 129;
    pub const SIGPROCMASK: usize = 135;
    pub const SIGTIMEDWAIT: usize = 137;
    pub const PRCTL: usize = 167;
    pub const GETPID: usize = 172;
    pub const GETPPID: usize = 173;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const WAIT4: usize = 260;
}

pub const KILL: i32 = 9;
pub const USR1: i32 = 10;
pub const TERM: i32 = 15;
pub const CHLD: i32 = 17;

const CLONE_VM: usize = 0x100;
const CLONE_VFORK: usize = 0x4000;
const ABSOLUTE: usize = 1;
const MONOTONIC: usize = 1;
const NO_HANG: usize = 1;
const PARENT_DEATH_SIGNAL: usize = 1;
const POLL_ERROR: i16 = 8;
const POLL_IN: i16 = 1;
const SIGNAL_SET_BYTES: usize = 8;
/// Relative to the working directory.
const WORKING_DIRECTORY: usize = -100isize as usize;
const WRITE_ONLY: usize = 1;

// The kernel starts a program with its arguments on the stack, and no return address.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {}", "ud2", sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {}", "brk 1", sym start);

extern "C" fn start(stack: *const usize) -> ! {
    exit(crate::run(Arguments(stack)))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(125)
}

/// Lists of pointers to C strings, each list ended by a null pointer, as execve(2) takes them.
pub type Strings = *const *const u8;

/// What the kernel put on the stack: argc, argv, envp.
#[derive(Clone, Copy)]
pub struct Arguments(*const usize);

impl Arguments {
    /// argv, from this argument on.
    pub fn from(self, first: usize) -> Strings {
        // SAFETY: argv follows argc; callers know how many arguments there are.
        unsafe { self.0.add(1 + first).cast() }
    }

    /// envp.
    pub fn environment(self) -> Strings {
        // SAFETY: envp follows argv's null pointer.
        unsafe { self.0.add(1 + *self.0 + 1).cast() }
    }

    /// An argument that exists, as a C string.
    pub fn string(self, index: usize) -> *const u8 {
        // SAFETY: callers know how many arguments there are.
        unsafe { *self.from(index) }
    }

    /// The first letter of an argument; 0 if there is none.
    pub fn letter(self, index: usize) -> u8 {
        // SAFETY: argc says whether the argument exists; each has at least the byte that ends it.
        unsafe { if index < *self.0 { **self.from(index) } else { 0 } }
    }

    /// An argument as a decimal number.
    pub fn number(self, index: usize) -> usize {
        let mut number = 0;
        if self.letter(index) != 0 {
            // SAFETY: the argument exists, and ends with a byte that is no digit.
            unsafe {
                let mut at = *self.from(index);
                while (*at).is_ascii_digit() {
                    number = number * 10 + usize::from(*at - b'0');
                    at = at.add(1);
                }
            }
        }
        number
    }
}

/// A system call, with the arguments and the result as the kernel defines them.
///
/// # Safety
/// What that call requires.
unsafe fn syscall(number: usize, arguments: [usize; 4]) -> isize {
    let result: isize;
    // SAFETY: the caller keeps what the call requires.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inout("rax") number as isize => result,
            in("rdi") arguments[0], in("rsi") arguments[1], in("rdx") arguments[2], in("r10") arguments[3],
            out("rcx") _, out("r11") _,
        );
    }
    // SAFETY: the caller keeps what the call requires.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            inout("x0") arguments[0] as isize => result,
            in("x1") arguments[1], in("x2") arguments[2], in("x3") arguments[3], in("x8") number,
        );
    }
    result
}

pub fn exit(code: i32) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { syscall(number::EXIT_GROUP, [code as usize, 0, 0, 0]) };
    }
}

/// A stack for a child that shares our memory.
#[repr(align(16))]
pub struct Stack(MaybeUninit<[u8; 4096]>);

impl Stack {
    pub const fn new() -> Stack {
        Stack(MaybeUninit::uninit())
    }
}

/// Runs `body` in a child that shares our memory. We are suspended until the child has ended or executed a program.
pub fn spawn<T>(stack: &mut Stack, body: extern "C" fn(&T) -> !, argument: &T) -> i32 {
    let flags = CLONE_VM | CLONE_VFORK | CHLD as usize;
    let pid: isize;
    // SAFETY: the child has a stack of its own and never returns; it uses our memory while we are suspended.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall", "test rax, rax", "jnz 2f", "mov rdi, {argument}", "call {body}", "ud2", "2:",
            argument = in(reg) argument, body = in(reg) body,
            inout("rax") number::CLONE as isize => pid,
            in("rdi") flags, in("rsi") (&raw mut *stack).add(1),
            out("rcx") _, out("r11") _,
        );
    }
    // SAFETY: see above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0", "cbnz x0, 2f", "mov x0, {argument}", "blr {body}", "brk 1", "2:",
            argument = in(reg) argument, body = in(reg) body,
            inout("x0") flags => pid,
            in("x1") (&raw mut *stack).add(1), in("x8") number::CLONE,
        );
    }
    pid as i32
}

/// Makes a child that ends at once. It runs beside us in our memory and on our stack, of which it touches nothing.
pub fn spawn_short_lived() {
    let flags = CLONE_VM | CHLD as usize;
    // SAFETY: between clone and its end the child uses registers only, and those are its own.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall", "test rax, rax", "jnz 2f", "xor edi, edi", "mov eax, {exit}", "syscall", "2:",
            exit = const number::EXIT_GROUP,
            inout("rax") number::CLONE => _,
            in("rdi") flags, in("rsi") 0,
            out("rcx") _, out("r11") _,
        );
    }
    // SAFETY: see above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0", "cbnz x0, 2f", "mov x8, {exit}", "svc 0", "2:",
            exit = const number::EXIT_GROUP,
            inout("x0") flags => _,
            in("x1") 0, in("x8") number::CLONE,
        );
    }
}

/// Replaces this process, or returns.
pub fn execute(arguments: Strings, environment: Strings) {
    // SAFETY: both are lists that the kernel made.
    unsafe { syscall(number::EXECVE, [*arguments as usize, arguments as usize, environment as usize, 0]) };
}

/// Asks the kernel to kill us when `parent` ends; exits now if it has ended already.
pub fn die_with(parent: i32) {
    // SAFETY: these calls touch no memory.
    unsafe {
        syscall(number::PRCTL, [PARENT_DEATH_SIGNAL, KILL as usize, 0, 0]);
        if syscall(number::GETPPID, [0; 4]) != parent as isize {
            exit(128 + KILL);
        }
    }
}

pub fn own_pid() -> i32 {
    // SAFETY: touches no memory.
    unsafe { syscall(number::GETPID, [0; 4]) as i32 }
}

/// Sets which signals are blocked, and returns which were: one bit for each, the lowest for signal 1.
pub fn block(signals: u64) -> u64 {
    const SET: usize = 2;
    let mut old = 0u64;
    let (new, old_at) = (&raw const signals as usize, &raw mut old as usize);
    // SAFETY: both point to 64 bits.
    unsafe { syscall(number::SIGPROCMASK, [SET, new, old_at, SIGNAL_SET_BYTES]) };
    old
}

/// Waits for one of these blocked signals, at most for this time in seconds. Below 0: no signal came.
pub fn wait_for_signal(signals: u64, seconds: Option<i64>) -> i32 {
    let limit = [seconds.unwrap_or(0), 0];
    let limit = if seconds.is_some() { (&raw const limit) as usize } else { 0 };
    // SAFETY: points to 64 bits and, if at all, to a timespec.
    unsafe { syscall(number::SIGTIMEDWAIT, [&raw const signals as usize, 0, limit, SIGNAL_SET_BYTES]) as i32 }
}

pub fn send(pid: i32, signal: i32) {
    // SAFETY: touches no memory.
    unsafe { syscall(number::KILL, [pid as usize, signal as usize, 0, 0]) };
}

/// Waits until this child has ended.
pub fn wait(pid: i32) {
    // SAFETY: null pointers: the kernel writes neither status nor usage.
    unsafe { syscall(number::WAIT4, [pid as usize, 0, 0, 0]) };
}

/// A child that has ended, and its status; `None` if there is none.
pub fn reap() -> Option<(i32, i32)> {
    let mut status = 0i32;
    // SAFETY: the status goes to an int.
    let pid = unsafe { syscall(number::WAIT4, [-1isize as usize, &raw mut status as usize, NO_HANG, 0]) };
    (pid > 0).then_some((pid as i32, status))
}

/// The monotonic clock, in nanoseconds.
pub fn clock() -> u64 {
    let mut time = [0u64; 2];
    // SAFETY: points to a timespec.
    unsafe { syscall(number::CLOCK_GETTIME, [MONOTONIC, &raw mut time as usize, 0, 0]) };
    time[0] * 1_000_000_000 + time[1]
}

/// Sleeps until the monotonic clock shows this time, in nanoseconds.
pub fn sleep_until(time: u64) {
    let time = [time / 1_000_000_000, time % 1_000_000_000];
    // SAFETY: points to a timespec; with a time that is absolute nothing is written.
    unsafe { syscall(number::CLOCK_NANOSLEEP, [MONOTONIC, ABSOLUTE, &raw const time as usize, 0]) };
}

/// Writes a number to stdout, as the eight bytes it is.
pub fn tell(number: u64) {
    tell_to(1, number);
}

/// Writes a number, as the eight bytes it is.
pub fn tell_to(descriptor: i32, number: u64) {
    write(descriptor, &number.to_ne_bytes());
}

/// False if nobody can read it.
pub fn write(descriptor: i32, bytes: &[u8]) -> bool {
    // SAFETY: points to bytes of this length.
    unsafe { syscall(number::WRITE, [descriptor as usize, bytes.as_ptr() as usize, bytes.len(), 0]) > 0 }
}

/// Opens a file for writing; below 0: it can't be opened.
pub fn open_to_write(path: *const u8) -> i32 {
    // SAFETY: callers pass a C string.
    unsafe { syscall(number::OPENAT, [WORKING_DIRECTORY, path as usize, WRITE_ONLY, 0]) as i32 }
}

/// A descriptor by which these blocked signals are read.
pub fn signal_descriptor(signals: u64) -> i32 {
    // SAFETY: points to 64 bits.
    unsafe { syscall(number::SIGNALFD4, [-1isize as usize, &raw const signals as usize, SIGNAL_SET_BYTES, 0]) as i32 }
}

/// Reads a signal from such a descriptor, of which it says that there is one.
pub fn take_signal(descriptor: i32) {
    let mut signal = [0u8; 128];
    // SAFETY: points to room for one signal.
    unsafe { syscall(number::READ, [descriptor as usize, signal.as_mut_ptr() as usize, signal.len(), 0]) };
}

#[repr(C)]
struct PollFd {
    descriptor: i32,
    events: i16,
    found: i16,
}

/// Whether the pipe behind this writing end has a reader.
pub fn has_reader(writing_end: i32) -> bool {
    poll([PollFd { descriptor: writing_end, events: 0, found: 0 }], Some([0; 2]))[0].found & POLL_ERROR == 0
}

/// Waits until the first can be read; false if the pipe behind the writing end has no reader any more.
pub fn wait_to_read(descriptor: i32, writing_end: i32) -> bool {
    let both = [(descriptor, POLL_IN), (writing_end, 0)];
    let [_, pipe] = poll(both.map(|(descriptor, events)| PollFd { descriptor, events, found: 0 }), None);
    pipe.found & POLL_ERROR == 0
}

fn poll<const COUNT: usize>(mut polled: [PollFd; COUNT], limit: Option<[i64; 2]>) -> [PollFd; COUNT] {
    let limit = limit.as_ref().map_or(0, |limit| (&raw const *limit) as usize);
    // SAFETY: points to pollfds of this number and, if at all, to a timespec; a null pointer changes no mask.
    unsafe { syscall(number::PPOLL, [&raw mut polled as usize, COUNT, limit, 0]) };
    polled
}

/// Waits for a byte; false if no writer is left.
pub fn wait_for_byte(descriptor: i32) -> bool {
    let mut byte = 0u8;
    // SAFETY: points to a byte.
    unsafe { syscall(number::READ, [descriptor as usize, &raw mut byte as usize, 1, 0]) == 1 }
}

pub fn pipe() -> [i32; 2] {
    let mut ends = [-1; 2];
    // SAFETY: points to two ints.
    unsafe { syscall(number::PIPE2, [&raw mut ends as usize, 0, 0, 0]) };
    ends
}

pub fn close(descriptor: i32) {
    // SAFETY: callers own what they close.
    unsafe { syscall(number::CLOSE, [descriptor as usize, 0, 0, 0]) };
}
