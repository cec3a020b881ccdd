//! The library, in a program of its own: this one.
//!
//! Signals go to the whole program and so to every executor in it: these tests take turns.
