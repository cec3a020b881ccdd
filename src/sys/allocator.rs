//! Memory of the program: the system's, and an end by a sentence where there is none.
//!
//! Rust's own end is SIGABRT with a text of its own, and the exit status of that is a command's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};

struct OrEnd;

#[global_allocator]
static ALLOCATOR: OrEnd = OrEnd;

/// The memory, unless there is none.
fn or_end(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        super::no_memory();
    }
    memory
}

// SAFETY: all is as the system's allocator does it.
unsafe impl GlobalAlloc for OrEnd {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on to the caller, here and below.
        or_end(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.realloc(memory, layout, size) })
    }
}
