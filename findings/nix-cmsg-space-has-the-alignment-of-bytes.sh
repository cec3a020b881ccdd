#!/usr/bin/env bash
# nix 0.31.4 (crates.io): the buffer that cmsg_space!() makes for recvmsg(2)'s control messages is a vector of bytes. Where the
# headers in it lie is left to the allocator: only one that aligns each block to eight bytes or more puts a `struct cmsghdr` where
# it may be.
#
# malloc(3) does, so nothing shows as long as Rust's System is the allocator. One that keeps to what it is asked for (as bump
# arenas do: an alignment of 1) may put the headers at an odd address; then ReceivedMessage::cmsgs() makes a reference to a
# misaligned header. A debug build ends the program there. A program with an allocator of its own has to align all blocks to 16
# bytes, or to make the buffer itself.
#
# Seen, with an allocator that puts blocks of alignment 1 at odd addresses:
#     asked for: alignment 1
#     a cmsghdr needs: 8
#     the buffer's address, modulo 8: 1
#
# Needs: cargo, network. Exits with 1 if any of this has changed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'EOF'
[package]
name = "space"
version = "0.0.0"
edition = "2024"

[dependencies]
nix = { version = "=0.31.4", features = ["socket", "uio"] }
EOF
cat >src/main.rs <<'EOF'
use std::alloc::{GlobalAlloc, Layout, System};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Blocks without a need for alignment begin one byte behind an address of the system's allocator.
struct Exact;

static LAST_ALIGNMENT: AtomicUsize = AtomicUsize::new(0);

fn larger(layout: Layout) -> Layout {
    Layout::from_size_align(layout.size() + 1, 16).unwrap()
}

unsafe impl GlobalAlloc for Exact {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LAST_ALIGNMENT.store(layout.align(), Ordering::Relaxed);
        match layout.align() {
            1 => unsafe { System.alloc(larger(layout)).add(1) },
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match layout.align() {
            1 => unsafe { System.dealloc(memory.sub(1), larger(layout)) },
            _ => unsafe { System.dealloc(memory, layout) },
        }
    }
}

#[global_allocator]
static ALLOCATOR: Exact = Exact;

fn main() {
    let buffer = nix::cmsg_space!([RawFd; 1]);
    println!("asked for: alignment {}", LAST_ALIGNMENT.load(Ordering::Relaxed));
    println!("a cmsghdr needs: {}", align_of::<nix::libc::cmsghdr>());
    println!("the buffer's address, modulo 8: {}", buffer.as_ptr() as usize % 8);
}
EOF
cargo run --quiet >seen
cat seen
diff seen - <<'EOF'
asked for: alignment 1
a cmsghdr needs: 8
the buffer's address, modulo 8: 1
EOF
