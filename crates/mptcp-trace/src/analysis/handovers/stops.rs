//! Signals that stop a subflow.

use super::carrying::Carrying;
use super::{Cause, IN_USE, Stop};
use crate::Instant;
use crate::analysis::availability::Availability;
use crate::analysis::closing::fast_closes;
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, flag};
use crate::tracking::travelling::Travelling;
use crate::tracking::{ByRole, Connection, Role};

/// Priority changes of a subflow that are looked at.
const CHANGES: usize = 64;

/// The stops of each direction. What comes with or after the end of the data stops nothing.
pub fn of(
    connection: &Connection,
    (signals, available): (&[Travelling<'_>], &[Availability]),
    carrying: &ByRole<Carrying>,
) -> ByRole<Vec<Stop>> {
    let mut found: ByRole<Vec<Stop>> = ByRole::default();
    let mut ended: ByRole<Option<Instant>> = ByRole::default();
    let mut failed = vec![false; connection.subflows.len()];
    for packet in interruptible(signals) {
        let now = packet.segment.abstime;
        if packet.segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN)) {
            ended.get_mut(packet.towards).get_or_insert(now);
        }
        if fast_closes(packet.segment, packet.towards, connection) {
            Role::BOTH.iter().for_each(|role| {
                ended.get_mut(*role).get_or_insert(now);
            });
        }
        let Some(failed) = failed.get_mut(packet.subflow) else { continue };
        *failed |= packet.segment.control().is_some_and(|control| control.fail.is_some());
        for (towards, cause) in ends(packet, *failed) {
            found.get_mut(towards).push(Stop {
                subflow: packet.subflow,
                cause,
                from: now,
                until: None,
                row: Some(packet.row),
            });
        }
    }
    for (subflow, own) in interruptible(available.iter().enumerate()) {
        for towards in Role::BOTH {
            let stops = found.get_mut(towards);
            if let Some((from, row)) = own.removed {
                stops.push(Stop { subflow, cause: Cause::RemoveAddr, from, until: None, row: Some(row) });
            }
            stops.extend(made_backup(own, subflow, carrying.get(towards), signals));
        }
    }
    for towards in Role::BOTH {
        let end = *ended.get(towards);
        found.get_mut(towards).retain(|stop| end.is_none_or(|end| stop.from < end));
    }
    found
}

/// The directions that a packet ends, and by what.
fn ends(packet: &Travelling<'_>, failed: bool) -> Vec<(Role, Cause)> {
    if packet.ends_with(flag::RST) {
        let cause = if failed { Cause::MpFail } else { Cause::Reset };
        Role::BOTH.map(|role| (role, cause)).to_vec()
    } else if packet.ends_with(flag::FIN) {
        vec![(packet.towards, Cause::Fin)]
    } else {
        Vec::new()
    }
}

/// The times in which a subflow was made a backup and carried no new data as one, but for what was under way.
fn made_backup(own: &Availability, subflow: usize, carrying: &Carrying, signals: &[Travelling<'_>]) -> Vec<Stop> {
    let changes = own.changes();
    let mut found = Vec::new();
    for (place, (from, backup)) in changes.iter().enumerate().take(CHANGES) {
        let was = place.checked_sub(1).and_then(|before| changes.get(before)).is_some_and(|(_, backup)| *backup);
        if !*backup || was || *from == Instant::MIN {
            continue;
        }
        let later = changes.get(place.saturating_add(1)..).unwrap_or(&[]);
        let until = later.iter().find(|(_, backup)| !*backup).map(|(until, _)| *until);
        let goes_on = carrying.next_on(subflow, *from + IN_USE);
        if goes_on.is_some_and(|next| until.is_none_or(|until| next < until)) {
            continue;
        }
        let first = signals.partition_point(|packet| packet.segment.abstime < *from);
        let prio = signals.get(first..).unwrap_or(&[]).iter().take(CHANGES);
        let mut prio = prio.filter(|packet| packet.segment.control().is_some_and(|control| control.prio.is_some()));
        let row = prio.find(|packet| packet.segment.abstime == *from).map(|packet| packet.row);
        found.push(Stop { subflow, cause: Cause::Backup, from: *from, until, row });
    }
    found
}
