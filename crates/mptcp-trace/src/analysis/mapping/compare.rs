//! Are a stream of the first capture and one of the second the same? What speaks for it and against, in bits.

use super::identity::{Identity, compare_connections, compare_joins};
use super::marks::MarkKind;
use super::reason::{Evidence, Reason};
use super::samples::Agreement;
use super::stream_facts::{in_common, isn};
use super::{Both, Mapper, StreamPair, TcpMatch, Which};
use crate::tracking::{ByRole, Endpoint, Role, RoleEvidence, Stream, SubflowKind};
use crate::{IdVec, StreamId};

/// Marks shared by two streams, by kind, in the order of [`MarkKind::ALL`].
pub(super) type Agreements = [Agreement; MarkKind::ALL.len()];

/// Two streams side by side.
pub(super) struct Comparison<'m, 'c> {
    mapper: &'m Mapper<'c>,
    first: &'c Stream,
    second: &'c Stream,
    agreements: &'m Agreements,
    /// The first one's client is the second one's server.
    flipped: bool,
    reasons: Vec<Reason>,
    /// A secret of the connection proves it.
    proven: bool,
}

/// Compares a stream of the first capture with one of the second.
pub(super) fn compare<'m, 'c>(
    mapper: &'m Mapper<'c>,
    first: &'c Stream,
    second: &'c Stream,
    agreements: &'m Agreements,
) -> TcpMatch {
    let mut comparison =
        Comparison { mapper, first, second, agreements, flipped: false, reasons: Vec::new(), proven: false };
    comparison.flipped = comparison.is_flipped();
    comparison.multipath();
    comparison.packets();
    comparison.endpoints();
    // Last, for whether numbers were rewritten on the way shows in all else.
    comparison.sequence_spaces();
    comparison.finish()
}

impl<'m, 'c> Comparison<'m, 'c> {
    fn finish(mut self) -> TcpMatch {
        Reason::sort(&mut self.reasons);
        let bits = Reason::sum(&self.reasons);
        TcpMatch {
            stream: self.first.id,
            mapped: self.second.id,
            score: if self.proven { f64::INFINITY } else { bits },
            certain: self.proven,
            flipped: self.flipped,
            reasons: self.reasons,
            pair: StreamPair { first: self.first.id, second: self.second.id, flipped: self.flipped },
            bits,
        }
    }

    fn add(&mut self, evidence: Evidence, bits: f64, detail: String) {
        self.reasons.push(Reason::new(evidence, bits, detail));
    }

    fn agreement(&self, kind: MarkKind) -> Agreement {
        self.agreements.get(kind as usize).copied().unwrap_or_default()
    }

    /// The role in the second capture of who has `role` in the first.
    fn there(&self, role: Role) -> Role {
        if self.flipped { role.other() } else { role }
    }

    /// Handshakes tell roles; otherwise endpoints do, and where these were translated, who sent the common packets.
    fn is_flipped(&self) -> bool {
        let (first, second) = (self.first, self.second);
        if first.evidence == RoleEvidence::Handshake && second.evidence == RoleEvidence::Handshake {
            return false;
        }
        if first.client == second.client && first.server == second.server {
            return false;
        }
        if first.client == second.server && first.server == second.client {
            return true;
        }
        let (marks, same) = self.agreements.iter().fold((0_u32, 0_u32), |(marks, same), agreement| {
            (marks.saturating_add(agreement.marks), same.saturating_add(agreement.same_sender))
        });
        if marks > 0 {
            return same < marks.saturating_sub(same);
        }
        let alike = |one: Endpoint, other: Endpoint| one == other || one.address == other.address;
        let straight = alike(first.client, second.client) || alike(first.server, second.server);
        !straight && (alike(first.client, second.server) || alike(first.server, second.client))
    }

    /// Keys, tokens, random numbers: what MPTCP says of the two.
    fn multipath(&mut self) {
        let (first, second) = (&self.mapper.captures.first.tracking, &self.mapper.captures.second.tracking);
        let (Some(one), Some(other)) = (first.subflow(self.first.id), second.subflow(self.second.id)) else { return };
        match (&one.kind, &other.kind) {
            (SubflowKind::Join(one), SubflowKind::Join(other)) => {
                let Identity { reasons, proven, .. } = compare_joins(one, other);
                self.reasons.extend(reasons);
                self.proven = proven;
            }
            (SubflowKind::Initial, SubflowKind::Initial) => {
                let (one, other) = (first.connection(one.connection), second.connection(other.connection));
                let Some(identity) = one.zip(other).map(|(one, other)| compare_connections(one, other)) else { return };
                self.proven = identity.proven_by_keys();
                self.reasons.extend(identity.reasons);
            }
            (SubflowKind::Join(_), SubflowKind::Initial) | (SubflowKind::Initial, SubflowKind::Join(_)) => {
                let detail = "one opened a connection, the other joined one".to_string();
                self.add(Evidence::SubflowKind, -32.0, detail);
            }
            _ => {}
        }
    }

    /// Marks that packets of both have. Two subflows may hold data at the same place by chance, and timestamps that
    /// tick alike, so of these the share counts, too.
    fn packets(&mut self) {
        for (kind, evidence, each, most, what) in [
            (MarkKind::Numbers, Evidence::SequenceNumbers, 16.0, 64.0, "sequence and acknowledgement number"),
            (MarkKind::Mapping, Evidence::Mappings, 16.0, 64.0, "data and subflow sequence number"),
        ] {
            let marks = self.agreement(kind).marks;
            let share = self.share(kind);
            self.in_common(evidence, marks, (each, most, if kind == MarkKind::Numbers { 1.0 } else { share }), || {
                format!("the same {what} in both ({}%)", (100.0 * share).round())
            });
        }
        let (marks, share, shifted) = self.timestamps();
        self.in_common(Evidence::Timestamps, marks, (4.0, 32.0, share), || {
            let relation =
                if shifted { "TCP timestamps with the same shift" } else { "the same TCP timestamps in both" };
            format!("{relation} ({}%)", (100.0 * share).round())
        });
    }

    /// Adds what `marks` sampled packets have in common: bits each, at most, and the share of them that counts.
    fn in_common(
        &mut self,
        evidence: Evidence,
        marks: u32,
        (each, most, share): (f64, f64, f64),
        what: impl Fn() -> String,
    ) {
        if marks == 0 {
            return;
        }
        let bits = (each * f64::from(marks)).min(most) * share;
        let packets = if marks == 1 { "packet has" } else { "packets have" };
        self.add(evidence, bits.round(), format!("{marks} sampled {packets} {}", what()));
    }

    /// Packets with the same timestamps and their share; or, where more, packets that are the same by their
    /// numbers or mappings and whose timestamps something on the way shifted alike, which the last value says.
    fn timestamps(&self) -> (u32, f64, bool) {
        let (marks, share) = (self.agreement(MarkKind::Timestamps).marks, self.share(MarkKind::Timestamps));
        let mut best = (marks, share, false);
        if share < 0.5 {
            let pair = Both { first: self.first.id, second: self.second.id };
            for kind in [MarkKind::Numbers, MarkKind::Mapping] {
                let (shifted, of_them) = self.mapper.samples_of(kind).clocks(pair).agreement();
                if f64::from(shifted) * of_them > f64::from(best.0) * best.1 {
                    best = (shifted, of_them, true);
                }
            }
        }
        best
    }

    fn share(&self, kind: MarkKind) -> f64 {
        let pair = Both { first: self.first.id, second: self.second.id };
        self.mapper.samples_of(kind).share(pair, &self.agreement(kind))
    }

    /// Addresses and ports.
    fn endpoints(&mut self) {
        for role in Role::BOTH {
            let (one, other) = (self.first.endpoint(role), self.second.endpoint(self.there(role)));
            let address = if one.address == other.address { 4.0 } else { 0.0 };
            let port = match role {
                Role::Server if one.port == other.port => 4.0,
                Role::Client if one.port == other.port => 16.0,
                Role::Client if !self.is_translated() => -16.0,
                _ => 0.0,
            };
            let detail = if one == other { format!("{one} in both") } else { format!("{one} here, {other} there") };
            self.add(Evidence::of(role, Evidence::ClientEndpoint, Evidence::ServerEndpoint), address + port, detail);
        }
    }

    /// An address was replaced on the way, if the two are the same at all.
    fn is_translated(&self) -> bool {
        Role::BOTH
            .iter()
            .any(|role| self.first.endpoint(*role).address != self.second.endpoint(self.there(*role)).address)
    }

    /// ISNs, and where one was not captured the ranges of sequence numbers.
    fn sequence_spaces(&mut self) {
        let (one, other) = (self.mapper.captures.first, self.mapper.captures.second);
        let isns = Role::BOTH.map(|role| (role, isn(one, self.first, role), isn(other, self.second, self.there(role))));
        let differ = isns.iter().any(|(_, one, other)| one.is_some() && other.is_some() && one != other);
        let rewritten = differ && self.is_rewritten();
        for (role, one, other) in isns {
            let evidence = Evidence::of(role, Evidence::ClientIsn, Evidence::ServerIsn);
            match (one, other) {
                (Some(one), Some(other)) if one == other => self.add(evidence, 32.0, format!("{one} in both")),
                (Some(one), Some(other)) if rewritten => {
                    self.add(evidence, 0.0, format!("{one} here, {other} there: rewritten on the way"));
                }
                (Some(one), Some(other)) => self.add(evidence, -32.0, format!("{one} here, {other} there")),
                _ => self.range(role),
            }
        }
    }

    /// Streams that hold the same data or clock values with other sequence numbers went through a rewriting middlebox.
    fn is_rewritten(&mut self) -> bool {
        if self.agreement(MarkKind::Numbers).marks > 0 {
            return false;
        }
        let secret = [Evidence::ClientNonce, Evidence::ServerNonce];
        let secret = self.reasons.iter().any(|reason| secret.contains(&reason.evidence) && reason.bits > 0.0);
        if self.proven || secret || self.agreement(MarkKind::Mapping).marks >= 2 {
            return true;
        }
        let same = |role: Role| self.first.endpoint(role) == self.second.endpoint(self.there(role));
        // Two streams of the same two hosts at the same time share a clock; nothing but another port tells them apart.
        if !same(Role::Client) && !self.is_translated() {
            return false;
        }
        if self.agreement(MarkKind::Timestamps).marks >= 8 && self.share(MarkKind::Timestamps) >= 0.5 {
            return true;
        }
        same(Role::Client) && same(Role::Server) && self.lengths()
    }

    /// Where timestamps were shifted or taken out as well, lengths are all that is left of a stream whose numbers were
    /// rewritten. With timestamps these must differ by one shift over an irregular course, which another stream between
    /// the same ports would not repeat.
    fn lengths(&mut self) -> bool {
        let captures = &self.mapper.captures;
        let common = in_common((captures.first, self.first), (captures.second, self.second));
        if common.lengths < 4 || common.share < 0.5 {
            return false;
        }
        let timestamps = self.mapper.samples_of(MarkKind::Timestamps);
        if !timestamps.lacks(Which::First, self.first.id) && !timestamps.lacks(Which::Second, self.second.id) {
            let (_, share) = common.clocks.agreement();
            if share < 0.95 || !common.clocks.are_irregular() {
                return false;
            }
        }
        let (count, percent) = (common.lengths, (100.0 * common.share).round());
        let detail = format!("{count} payloads have the same length at the same position ({percent}%)");
        self.add(Evidence::Lengths, (16.0 * common.share).round(), detail);
        true
    }

    /// Whether one end's sequence numbers lie in the same range.
    fn range(&mut self, role: Role) {
        // Packets with the same numbers say it better.
        if self.agreement(MarkKind::Numbers).marks > 0 {
            return;
        }
        let there = self.there(role);
        let range = |ranges: &IdVec<StreamId, ByRole<_>>, stream: StreamId, role: Role| *ranges.get(stream)?.get(role);
        let one = range(&self.mapper.learned.ranges.first, self.first.id, role);
        let other = range(&self.mapper.learned.ranges.second, self.second.id, there);
        let (Some(one), Some(other)) = (one, other) else { return };
        let evidence = Evidence::of(role, Evidence::ClientRange, Evidence::ServerRange);
        let surprise = one.surprise(other).min(16.0).floor();
        if surprise < 1.0 {
            return;
        }
        // One capture may hold an early part of a stream and the other a later one, with other numbers; but not where
        // clocks say that they were captured at the same time, or one of them has it from the handshake to the end.
        let together = self.agreement(MarkKind::Timestamps).marks >= 4 && self.share(MarkKind::Timestamps) >= 0.25;
        if one.meets(other) {
            self.add(evidence, surprise, "sequence numbers lie in the same range".to_string());
        } else if together || is_whole(self.first) || is_whole(self.second) {
            self.add(evidence, -16.0, "sequence numbers lie in different ranges".to_string());
        }
    }
}

/// Captured from the handshake to the end, as far as a stream tells.
fn is_whole(stream: &Stream) -> bool {
    let (client, server) = (&stream.ends.client, &stream.ends.server);
    let begun = stream.syn.is_some() || stream.syn_ack.is_some();
    begun && (client.fin && server.fin || client.reset || server.reset)
}
