//! Were the paths used?

use std::collections::HashSet;

use super::{Finding, FindingKind, Subject};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::joins::JoinOutcome;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Role, SubflowKind};
use mptcp_trace::units::counted;

/// A share of the data beyond which one subflow carried nearly everything.
const NEARLY_ALL: f64 = 0.99;
/// Below this many bytes a scheduler has no reason to use a second path.
const ENOUGH: u64 = 100_000;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    let directions = &subject.directions;
    let established: HashSet<StreamId> = subject
        .joins
        .iter()
        .filter(|join| join.outcome == JoinOutcome::Established)
        .map(|join| join.tcpstream)
        .collect();
    let available = &subject.available;
    let mut backups = Vec::new();
    let mut usable = Vec::new();
    for ((index, id), own) in interruptible(connection.subflows.iter().enumerate().zip(available)) {
        let Some(subflow) = capture.tracking.subflow(*id) else { continue };
        if let Some(since) = own.made_backup().filter(|_| own.from.is_some()) {
            backups.push((index, *id, format!("MP_PRIO made the subflow a backup at {}", subject.time(since))));
            continue;
        }
        match &subflow.kind {
            SubflowKind::Initial => usable.push((index, *id)),
            SubflowKind::Join(join) => {
                let backup = join.backup.client == Some(true) || join.backup.server == Some(true);
                if !established.contains(id) {
                    continue;
                }
                if backup {
                    backups.push((index, *id, "the subflow was opened as a backup".to_string()));
                } else {
                    usable.push((index, *id));
                }
            }
            SubflowKind::Unknown => {}
        }
    }
    let mut findings = Vec::new();
    let carried = |index: usize| {
        let of = |role: Role| directions.get(role).subflows.get(index).map_or(0, |volume| volume.first_sent);
        of(Role::Server) + of(Role::Client)
    };
    let total = directions.server.goodput + directions.client.goodput;
    for (index, id, how) in interruptible(&backups) {
        let detail = format!("{how}; it carried {} of new data", counted(carried(*index), "byte"));
        let meaning = "a backup carries data only while no other subflow can";
        findings.push(
            Finding::notice(
                FindingKind::SubflowBackup,
                detail,
                meaning,
                "nothing, unless the subflow should be used: then clear its `backup` flag",
            )
            .of(connection)
            .on(*id),
        );
    }
    let unused: Vec<&(usize, StreamId)> = usable
        .iter()
        .filter(|(index, id)| established.contains(id) && carried(*index) == 0 && total >= ENOUGH)
        .collect();
    for (_, id) in interruptible(&unused) {
        let detail = format!("the subflow was established but carried none of the {}", counted(total, "byte"));
        let meaning = "the scheduler preferred other paths: a longer round trip, a late join, or a priority";
        findings.push(
            Finding::notice(
                FindingKind::SubflowUnused,
                detail,
                meaning,
                "compare the round trips of the subflows (`rtt`) and the time of the join",
            )
            .of(connection)
            .on(*id),
        );
    }
    if usable.len() - unused.len() > 1
        && total >= ENOUGH
        && let Some((index, id)) = usable.iter().max_by_key(|(index, _)| carried(*index))
    {
        #[allow(clippy::cast_precision_loss)]
        let share = carried(*index) as f64 / total as f64;
        if share >= NEARLY_ALL {
            let detail = format!("the subflow carried {:.1} % of {}", share * 100.0, counted(total, "byte"));
            let meaning = "the other paths added almost nothing: compare their round-trip times and losses";
            findings.push(
                Finding::notice(
                    FindingKind::OneSubflowCarriesAll,
                    detail,
                    meaning,
                    "compare round trips and retransmissions of the subflows (`rtt`, `tcp_summary`)",
                )
                .of(connection)
                .on(*id),
            );
        }
    }
    findings
}
