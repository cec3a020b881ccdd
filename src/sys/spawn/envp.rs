//! The variables of a command as execve(2) takes them.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

/// `NAME=value` each. Commands that have the same variables share them.
#[derive(Debug)]
pub(crate) struct Envp {
    /// Pointers to C strings, and a null pointer.
    list: Vec<*const c_char>,
    /// Those of the strings that aren't there for ever; each was a `CString`.
    owned: Vec<*mut c_char>,
}

// SAFETY: the strings live as long as this, or for ever, and nobody changes them.
unsafe impl Send for Envp {}
// SAFETY: as above.
unsafe impl Sync for Envp {}

impl Envp {
    pub(crate) fn new(entries: Vec<Cow<'static, CStr>>) -> Envp {
        let mut envp = Envp { list: Vec::with_capacity(entries.len() + 1), owned: Vec::new() };
        for entry in entries {
            envp.list.push(match entry {
                Cow::Borrowed(entry) => entry.as_ptr(),
                Cow::Owned(entry) => {
                    let entry = entry.into_raw();
                    envp.owned.push(entry);
                    entry
                }
            });
        }
        envp.list.push(ptr::null());
        envp
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &CStr> {
        let strings = self.list.iter().take_while(|entry| !entry.is_null());
        // SAFETY: it points to a C string that nobody changes, and that lives as long as this.
        strings.map(|entry| unsafe { CStr::from_ptr(*entry) })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len() - 1
    }

    /// The list, which is as this is: not to be moved or changed.
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.list.as_ptr()
    }
}

impl Drop for Envp {
    fn drop(&mut self) {
        for entry in self.owned.drain(..) {
            // SAFETY: it comes from `CString::into_raw`, and the list, which goes with this, is all that has it, too.
            drop(unsafe { CString::from_raw(entry) });
        }
    }
}
