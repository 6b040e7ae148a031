//! Parts of a connection missing from the capture, and the findings that they rule out.

use std::collections::BTreeSet;

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::one_sided;
use mptcp_trace::analysis::unseen::unseen_by;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;
use mptcp_trace::{PacketRow, StreamId};

/// Parts of a connection missing from the capture.
pub struct Lacking {
    subflow: bool,
    /// Subflows of which it has one direction only.
    one_sided: BTreeSet<StreamId>,
    /// Those of them that carried payload.
    carried: BTreeSet<StreamId>,
}

impl Lacking {
    /// Looks for it, and what there is to say of it.
    pub fn of(subject: &Subject<'_>) -> (Self, Vec<Finding>) {
        let one_sided: BTreeSet<StreamId> =
            one_sided::subflows(subject.capture, subject.connection).map(|stream| stream.id).collect();
        let carries = |row: &PacketRow| {
            let segment = subject.capture.segments.get(row.index());
            segment.and_then(|segment| segment.payload()).is_some_and(|length| length > 0)
        };
        let carried = one_sided
            .iter()
            .copied()
            .filter(|id| subject.capture.tracking.stream(*id).is_some_and(|stream| stream.packets.iter().any(carries)));
        let carried = carried.collect();
        let found = subflow_not_captured(subject);
        (Lacking { subflow: !found.is_empty(), one_sided, carried }, found)
    }

    /// Whether what `finding` says may be untrue for what the capture lacks.
    pub fn forbids(&self, finding: &Finding) -> bool {
        let one_sided = |ids: &[StreamId]| !ids.is_empty() && ids.iter().all(|id| self.one_sided.contains(id));
        match finding.finding {
            // Nothing came back that could have.
            FindingKind::SubflowStale => one_sided(&finding.tcpstreams),
            // A RST may answer one that was not captured: that refuses the stream, and does not end it.
            FindingKind::SubflowReset => {
                one_sided(&finding.tcpstreams) && !finding.tcpstreams.iter().any(|id| self.carried.contains(id))
            }
            FindingKind::JoinUnanswered | FindingKind::SubflowUnused => !self.one_sided.is_empty(),
            // What went over another subflow, or the other way, may be what is missed here.
            FindingKind::AddressNotEchoed
            | FindingKind::AddressNotJoined
            | FindingKind::SingleSubflow
            | FindingKind::IdleGaps
            | FindingKind::HealthySubflowUnused => self.subflow || !self.one_sided.is_empty(),
            FindingKind::OneSubflowCarriesAll => self.subflow,
            _ => false,
        }
    }
}

fn subflow_not_captured(subject: &Subject<'_>) -> Vec<Finding> {
    let unseen = unseen_by(&subject.directions, || subject.lacking());
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let Some(elsewhere) = unseen.get(towards).elsewhere() else { continue };
        let lacking = unseen.get(towards).lacking;
        let besides = if lacking == 0 {
            String::new()
        } else {
            format!(
                ", in addition to {lacking} missing from its \
            captured subflows"
            )
        };
        let detail = format!(
            "towards the {}, DATA_ACKs cover {} that no captured packet carried{besides}",
            towards.name(),
            counted(elsewhere, "byte")
        );
        findings.push(
            Finding::notice(
                FindingKind::SubflowNotCaptured,
                detail,
                "the data went over a subflow that was not captured: goodput, rates and shares cover captured data \
                 only, and seemingly missing data may have gone there",
                "capture on all interfaces (`tcpdump -i any`), or compare with the capture of the other interface",
            )
            .of(subject.connection)
            .going(towards)
            .shown_by(*subject.passed.last_data_acks.get(towards)),
        );
    }
    findings
}
