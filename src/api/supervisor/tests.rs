use super::*;
use crate::model::process_config::Restart;
use crate::sys::test_filter::refuse;

/// What epoll_wait(3) calls.
const EPOLL_WAIT: libc::c_long = {
    #[cfg(target_arch = "x86_64")]
    let call = libc::SYS_epoll_wait;
    #[cfg(not(target_arch = "x86_64"))]
    let call = libc::SYS_epoll_pwait;
    call
};

/// As by a filter, or where the user's limit of watches is reached (epoll(7)).
#[test]
fn where_the_kernel_keeps_no_track_each_of_many_ends_is_seen_all_the_same() {
    let exits = |code: u8| {
        let mut config = ProcessConfig::new("sh");
        config.args = vec!["-c".into(), format!("exit {code}").into()];
        config.restart = Restart::Never;
        config
    };
    for call in [libc::SYS_epoll_create1, libc::SYS_epoll_ctl, EPOLL_WAIT] {
        let configs: Vec<_> = (0..40).map(exits).collect();
        // The filter is this thread's alone.
        let run = move || {
            let mut supervisor = Supervisor::new([]).unwrap();
            refuse(call, libc::ENOSPC);
            let results = supervisor.run_all(&configs).unwrap();
            results.into_iter().map(|status| status.unwrap().get()).collect::<Vec<_>>()
        };
        assert!(std::thread::spawn(run).join().unwrap().into_iter().eq(0..40));
    }
}
