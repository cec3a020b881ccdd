//! Signals that find no room with the child.

use super::*;

#[test]
fn a_standard_signal_overtakes_those_that_found_no_room() {
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    lifecycle.came(queued(40, 1), no_terminal, &mut actions);
    assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
    lifecycle.came(sent(Signal::TERM), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 0), [sent(Signal::TERM)]);
}

/// Signals come at random, and the child has room now and then: each signal is passed on once, and queued ones of the same
/// number in their order.
#[test]
fn at_random_nothing_is_lost_doubled_or_out_of_order() {
    let mut numbers = Random::new(1);
    let mut random = |below: u64| numbers.below(below);
    for _ in 0..200 {
        let (mut lifecycle, mut actions, mut now) = (running(), Actions::new(), Instant::now());
        let (mut came, mut passed, mut room) = (Vec::new(), Vec::new(), 5);
        for value in 0..500 {
            let received = queued([15, 36, 37, 64][random(4) as usize], value);
            came.push(received);
            lifecycle.came(received, no_terminal, &mut actions);
            passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
            if random(10) == 0 {
                room += random(20) as usize;
            }
            if random(20) == 0 {
                now = lifecycle.deadline().unwrap_or(now);
                lifecycle.time_is_up(now, &mut actions);
                passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
            }
        }
        while let Some(deadline) = lifecycle.deadline() {
            room += 1;
            lifecycle.time_is_up(deadline, &mut actions);
            passed.extend(act(&mut lifecycle, &mut actions, deadline, &mut room));
        }
        for number in [15, 36, 37, 64] {
            let of =
                |all: &[Received]| all.iter().filter(|one| one.signal.number() == number).copied().collect::<Vec<_>>();
            assert_eq!(of(&passed), of(&came));
        }
    }
}
