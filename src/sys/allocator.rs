//! Memory of the program: an arena for what a start needs, then the system's, and an end by a sentence where there is none.
//!
//! A plain start needs a few kilobytes. From the system's allocator they would be several mappings, each a system call and a
//! page. Rust's own end for want of memory is SIGABRT with a text of its own, and the exit status of that is a command's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

// Its functions aren't inlined: a plain run calls them from many places, and is to touch little of the file.

/// As much as a start with options takes. Pages that are never touched cost nothing.
const ARENA_BYTES: usize = 128 * 1024;

/// More than a plain start takes of it.
const PLAIN_BYTES: usize = 24 * 1024;

/// Of each block, as malloc(3) has it: libraries put what the kernel reads and writes into buffers of bytes.
const ALIGNMENT: usize = align_of::<libc::max_align_t>();

/// Blocks are taken from its beginning, one behind the other. Only the last one can be given back, or grow in its place.
#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA_BYTES]>);

// SAFETY: `TAKEN` is atomic, and gives each byte to one block at a time: what one thread gives back, another one sees as it was left.
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_BYTES]));

/// How much of it is taken. Not in it: a page that is read before it is written to is mapped twice.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Arena {
    fn start(&self) -> usize {
        self.0.get() as usize
    }

    /// Where a block begins, if it is of the arena.
    fn offset(&self, memory: *mut u8) -> Option<usize> {
        (memory as usize).checked_sub(self.start()).filter(|offset| *offset < ARENA_BYTES)
    }

    /// A block of it, if there is room.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let mut taken = TAKEN.load(Ordering::Relaxed);
        loop {
            let offset = (self.start() + taken).next_multiple_of(layout.align().max(ALIGNMENT)) - self.start();
            let end = offset.checked_add(layout.size()).filter(|end| *end <= ARENA_BYTES)?;
            match TAKEN.compare_exchange_weak(taken, end, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    if taken < PLAIN_BYTES && end >= PLAIN_BYTES {
                        keep_room_for_destructors();
                    }
                    return Some(self.0.get().cast::<u8>().wrapping_add(offset));
                }
                Err(now) => taken = now,
            }
        }
    }

    /// Moves the end of the last block. `false`: it isn't the last one, or there is no room.
    fn move_end(&self, old: usize, new: usize) -> bool {
        new <= ARENA_BYTES && TAKEN.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// The list of a thread's destructors isn't made by this allocator, but by the system's, and the standard library, or glibc, ends the
/// process by SIGABRT if that fails. So there is room before there is a destructor.
#[cold]
fn keep_room_for_destructors() {
    let block = Layout::new::<[usize; 8]>();
    // A compiler leaves out blocks that nobody looks at.
    // SAFETY: the layout has a size. Beside the first block, which stays, the second one's place is free again.
    unsafe {
        or_end(black_box(System.alloc(block)));
        System.dealloc(or_end(black_box(System.alloc(block))), block);
    }
}

/// The memory, unless there is none.
fn or_end(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        super::no_memory();
    }
    memory
}

// SAFETY: a block of the arena is nobody else's until it is given back, lies within it, and begins at a multiple of its
// alignment. All else is as the system's allocator does it.
unsafe impl GlobalAlloc for Arena {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on to the caller, here and below.
        self.take(layout).unwrap_or_else(|| or_end(unsafe { System.alloc(layout) }))
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(memory) => {
                // SAFETY: it is a block of this size. It may have been another one before.
                unsafe { memory.write_bytes(0, layout.size()) };
                memory
            }
            // SAFETY: as above.
            None => or_end(unsafe { System.alloc_zeroed(layout) }),
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match self.offset(memory) {
            Some(offset) => {
                self.move_end(offset + layout.size(), offset);
            }
            // SAFETY: as above.
            None => unsafe { System.dealloc(memory, layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(memory) else {
            // SAFETY: as above.
            return or_end(unsafe { System.realloc(memory, layout, size) });
        };
        if self.move_end(offset + layout.size(), offset + size) || size <= layout.size() {
            return memory;
        }
        // SAFETY: the caller's `layout` is valid with this size, and the blocks are two.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            new.copy_from_nonoverlapping(memory, size.min(layout.size()));
            self.dealloc(memory, layout);
            new
        }
    }
}
