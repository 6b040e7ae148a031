use super::*;
use crate::time::short::at;

const MILLISECOND: i64 = 1_000_000;

/// A direction with patience of 200 ms.
fn flow() -> Flow {
    Flow::new(Flow::patience(Some(Span::from_nanoseconds(40 * MILLISECOND))))
}

#[test]
fn times_count_from_the_first_repeated_byte() {
    let mut flow = flow();
    let mut send = |time: i64, start: u64, end: u64| {
        let again = flow.sends(start, end, at(time));
        again.map(|again| (again.start, again.bytes, again.first.nanoseconds(), again.last.nanoseconds(), again.newest))
    };
    assert_eq!(send(1, 1000, 2000), None);
    assert_eq!(send(2, 2000, 3000), None);
    // Half of the first, and what follows.
    assert_eq!(send(10, 1500, 2500), Some((1500, 1000, 1, 1, false)));
    assert_eq!(send(20, 1000, 3000), Some((1000, 2000, 1, 1, true)));
    assert_eq!(send(30, 1500, 1600), Some((1500, 100, 1, 20, false)));
    // New bytes before the repeated ones.
    assert_eq!(send(40, 900, 1100), Some((1000, 100, 1, 20, false)));
    assert_eq!(send(50, 2900, 3100), Some((2900, 100, 2, 20, true)));
    assert_eq!(send(60, 3050, 3100), Some((3050, 50, 50, 50, true)));
}

#[test]
fn without_an_acknowledgement_time_and_place_decide() {
    let told = Told::default();
    let patience = Flow::patience(Some(Span::from_nanoseconds(150 * MILLISECOND)));
    let class = |milliseconds: i64, newest: bool| {
        let repeated = Repeated { start: 0, end: 10, now: at(milliseconds * MILLISECOND), last: at(0), newest };
        told.class(&repeated, patience)
    };
    assert_eq!(class(300, false), Class::Rto);
    assert_eq!(class(300, true), Class::Rto);
    assert_eq!(class(299, true), Class::Tail);
    assert_eq!(class(299, false), Class::Other);
}
