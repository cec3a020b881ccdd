//! Compares panicmon with its peers.
fn main() {}
