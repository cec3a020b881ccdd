//! Notification datagrams, through a socket: nothing of MAINPID is passed on, and all else is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::{OneSocket, is_barrier, passed_on, says_ready};
use panicmon_fuzz::within_limits;

thread_local!(static SOCKET: OneSocket = OneSocket::new().unwrap());

fuzz_target!(|message: &[u8]| {
    within_limits(|| {
        let (seen, is_cut) = SOCKET.with(|socket| socket.through(message)).unwrap();
        assert!(message.starts_with(&seen));
        assert_eq!(is_cut, seen.len() < message.len());
        let kept = passed_on(&seen);
        let lines = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::to_vec).collect()
        };
        let is_mains = |line: &Vec<u8>| line.starts_with(b"MAINPID=") || line.starts_with(b"MAINPIDFD");
        let wanted: Vec<_> = lines(&seen).into_iter().filter(|line| !line.is_empty() && !is_mains(line)).collect();
        match kept {
            None => assert!(wanted.is_empty(), "{wanted:?} is lost"),
            Some(kept) => {
                let came: Vec<_> = lines(&kept).into_iter().filter(|line| !line.is_empty()).collect();
                assert_eq!(came, wanted);
                assert_eq!(passed_on(&kept).as_ref(), Some(&kept));
                assert_eq!(says_ready(&kept), says_ready(&seen));
            }
        }
        assert!(!(is_barrier(&seen) && says_ready(&seen)));
    });
});
