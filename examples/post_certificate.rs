//! Posts how a command has ended, as JSON, if that is no success: by a hook that runs curl, which has to be installed.
//!
//!     nc -l 8080 &
//!     cargo run --example post_certificate -- http://127.0.0.1:8080/ sh -c 'kill -SEGV $$'

use panicmon::handlers::Hook;
use panicmon::{Error, Event, Executor, Options, StatusCode};
use std::time::Duration;

/// Whether it is the end of a run that failed, or a start that did.
fn is_failure(event: &Event<'_>) -> bool {
    match event {
        Event::Exited(exited) => exited.result() != "success",
        Event::Failed(_) => true,
        _ => false,
    }
}

fn main() -> Result<StatusCode, Error> {
    let mut args = std::env::args_os().skip(1);
    let Some(url) = args.next() else {
        eprintln!("usage: post_certificate URL COMMAND [ARG]...");
        return Ok(StatusCode::new(2));
    };
    // The event is on its stdin.
    let mut post: Vec<_> =
        ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null"].map(Into::into).into();
    post.extend(["--header", "Content-Type: application/json", "--data-binary", "@-"].map(Into::into));
    post.push(url);
    // It hangs as long as the server does: the end of this program waits for that, no longer than this. That it was killed then,
    // or has failed, goes to the crate log.
    let hook = Hook::new(post)?.on(is_failure).timeout(Duration::from_secs(5));
    Executor::new(Options::default().handler(hook))?.run(args)
}
