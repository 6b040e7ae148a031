//! Options that break the rules, in both versions, over both versions of IP, sent by either end: what is found, and that
//! what follows the rules is not. The rules are those of RFC 8684 and RFC 6824.

use mptcp_trace::analysis::closing::{ConnectionState, closing};
use mptcp_trace::analysis::subflows::subflows;
use mptcp_trace::tracking::Role;
use mptcp_trace::{ConnectionId, StreamId};
use mptcpanalyzer::analysis::diagnose::FindingKind;

use crate::support::exchange::{ACK, FIN, INITIAL, JOINED, JOINED_BACK, KEYS, RST, Said, Talk, option, rightmost};

/// Each version over each version of IP, with each end as the one that does it.
fn each(check: impl Fn(u8, bool, Role)) {
    for version in [0, 1] {
        for v6 in [false, true] {
            for by in Role::BOTH {
                check(version, v6, by);
            }
        }
    }
}

/// `by` and then the other end send 100 bytes each, after `before` bytes of both.
fn chat(talk: &mut Talk, by: Role, before: u32) {
    for (sender, taken) in [(by, before), (by.other(), before + 100)] {
        let mapping = Some((u64::from(before) + 1, before + 1, 100));
        let option = talk.dss(sender, taken.into(), mapping, None);
        talk.say(&INITIAL, sender, ACK, (before + 1, taken + 1), &option, 100);
    }
}

#[test]
fn a_fast_close_with_another_key_closes_nothing() {
    each(|version, v6, by| {
        for flags in [ACK, RST | ACK] {
            let mut talk = Talk::begun(version, v6, false);
            let wrong = [&[30, 12, 0x70, 0][..], &0x2a_u64.to_be_bytes()].concat();
            let at = talk.say(&INITIAL, by, flags, (1, 1), &wrong, 0);
            let capture = talk.exchange.capture();
            let said = Said::of(&capture);
            let finding = said.only(FindingKind::FastcloseKeyInvalid);
            assert_eq!((finding.packets.as_slice(), finding.towards), ([at].as_slice(), Some(by.other())));
            assert!(!said.kinds().contains(&FindingKind::FastClose), "{:#?}", said.findings);
            assert_eq!((said.told("mp_fastclose"), said.told("fastclose_key_invalid").len()), (vec![], 1));
            assert_ne!(
                closing(&capture, capture.tracking.connection(ConnectionId(0)).unwrap()).state,
                ConnectionState::FastClosed
            );

            let mut right = Talk::begun(version, v6, false);
            let key = KEYS[usize::from(by == Role::Client)];
            let at = right.say(&INITIAL, by, flags, (1, 1), &[&[30, 12, 0x70, 0][..], &key.to_be_bytes()].concat(), 0);
            let capture = right.exchange.capture();
            let said = Said::of(&capture);
            assert_eq!(said.only(FindingKind::FastClose).packets, [at]);
            assert_eq!(said.told("mp_fastclose").len(), 1);
            assert_eq!(
                closing(&capture, capture.tracking.connection(ConnectionId(0)).unwrap()).state,
                ConnectionState::FastClosed
            );
        }
    });
}

#[test]
fn keys_that_change_between_the_packets_of_the_handshake() {
    each(|version, v6, of| {
        let mut talk = Talk::begun(version, v6, false);
        let mut keys = KEYS;
        keys[usize::from(of == Role::Server)] = 0xbeef;
        // The ACK of the handshake again, or with version 1 the first data.
        let at = talk.say(&INITIAL, Role::Client, ACK, (1, 1), &option::capable(version, 1, &keys, &[]), 0);
        let said = talk.exchange.said();
        let finding = said.only(FindingKind::KeysChanged);
        assert_eq!(finding.packets, [at]);
        assert!(finding.detail.contains(&format!("the {}'s key is 0x000000000000beef", of.name())), "{finding:?}");
        assert_eq!(said.told("keys_changed").len(), 1);
    });
    for version in [0, 1] {
        assert_eq!(Talk::begun(version, false, false).exchange.said().problems(), []);
    }
}

#[test]
fn a_priority_for_the_subflows_of_an_address_id() {
    each(|version, v6, by| {
        for (backup, becomes) in [(1, "become backups"), (0, "are no longer backups")] {
            let mut talk = Talk::begun(version, v6, false);
            talk.join(&JOINED, 1);
            let at = talk.say(&INITIAL, by, ACK, (1, 1), &[30, 4, 0x50 | backup, 7], 0);
            let said = talk.exchange.said();
            if version == 0 {
                // RFC 6824 §3.3.8: the subflows of that address of the sender.
                let text = format!("the subflows of the {}'s address id 7 {becomes}", by.name());
                assert_eq!(said.told("mp_prio"), [(at, text.as_str())]);
                assert_eq!(said.problems(), []);
                assert!(!said.kinds().contains(&FindingKind::SubflowBackup), "no subflow has that id");
            } else {
                // RFC 8684 §3.3.8 has no such form.
                assert_eq!(said.told("mp_prio"), []);
                assert_eq!(said.told("mp_prio_invalid").len(), 1);
                assert_eq!(said.only(FindingKind::MpPrioInvalid).packets, [at]);
            }
        }
    });
}

#[test]
fn a_mapping_of_length_0_without_data_is_no_fallback() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, false);
        chat(&mut talk, Role::Client, 0);
        let empty = talk.dss(by, 100, Some((101, 101, 0)), None);
        let at = talk.say(&INITIAL, by, ACK, (101, 101), &empty, 0);
        chat(&mut talk, by, 100);
        let capture = talk.exchange.capture();
        let said = Said::of(&capture);
        assert_eq!(said.problems(), [], "{:#?}", said.findings);
        assert_eq!(said.only(FindingKind::EmptyMapping).packets, [at]);
        assert_eq!((said.told("fallback"), said.told("infinite_mapping")), (vec![], vec![]));
        assert_eq!(said.told("empty_mapping").len(), 1);

        // With data it is the infinite mapping (RFC 8684 §3.7).
        let mut infinite = Talk::begun(version, v6, false);
        chat(&mut infinite, Role::Client, 0);
        let mapping = infinite.dss(by, 100, Some((101, 101, 0)), None);
        let at = infinite.say(&INITIAL, by, ACK, (101, 101), &mapping, 50);
        let said = infinite.exchange.said();
        assert_eq!(said.only(FindingKind::Fallback).packets, [at]);
        assert_eq!(said.told("infinite_mapping").len(), 1);
    });
}

#[test]
fn mappings_without_the_checksum_that_was_agreed() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, true);
        let with = talk.dss(by, 0, Some((1, 1, 100)), Some(0x1234));
        talk.say(&INITIAL, by, ACK, (1, 1), &with, 100);
        assert_eq!(talk.exchange.said().problems(), [], "a checksum is there");
        let without = talk.dss(by, 0, Some((101, 101, 100)), None);
        let at = talk.say(&INITIAL, by, ACK, (101, 1), &without, 100);
        let said = talk.exchange.said();
        assert_eq!(said.only(FindingKind::ChecksumMissing).packets, [at]);
        assert_eq!(said.told("checksum_missing").len(), 1);

        let mut unsummed = Talk::begun(version, v6, false);
        let without = unsummed.dss(by, 0, Some((1, 1, 100)), None);
        unsummed.say(&INITIAL, by, ACK, (1, 1), &without, 100);
        assert_eq!(unsummed.exchange.said().problems(), [], "none was agreed");
    });
}

#[test]
fn first_data_without_a_checksum_is_the_reason_of_the_fallback() {
    for v6 in [false, true] {
        let mut talk = Talk::begun(1, v6, true);
        let option = option::capable(1, 0x81, &KEYS, &100_u16.to_be_bytes());
        let at = talk.say(&INITIAL, Role::Client, ACK, (1, 1), &option, 100);
        let shown = talk.say(&INITIAL, Role::Server, ACK, (1, 101), &[], 0);
        talk.say(&INITIAL, Role::Client, ACK, (101, 1), &[], 200);
        talk.say(&INITIAL, Role::Server, ACK, (1, 301), &[], 0);
        let said = talk.exchange.said();
        let missing = said.only(FindingKind::ChecksumMissing);
        assert_eq!(missing.packets, [at]);
        assert!(missing.detail.contains("22 bytes long instead of 24"), "{missing:?}");
        let fallback = said.only(FindingKind::Fallback);
        assert_eq!(fallback.packets, [at, shown]);
        assert!(fallback.detail.contains(&format!("it follows packet {at}")), "{fallback:?}");
        let told = said.told("fallback");
        assert!(told[0].1.contains("without a checksum"), "{told:?}");
    }
}

#[test]
fn an_id_given_to_another_address() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, false);
        let (first, second) = (talk.add_addr(by, 2, 65, rightmost), talk.add_addr(by, 2, 99, rightmost));
        talk.say(&INITIAL, by, ACK, (1, 1), &first, 0);
        talk.say(&INITIAL, by, ACK, (1, 1), &first, 0);
        talk.say(&INITIAL, by, ACK, (1, 1), &[30, 4, 0x40, 2], 0);
        talk.say(&INITIAL, by, ACK, (1, 1), &second, 0);
        // The other end's ids are its own.
        let others = talk.add_addr(by.other(), 2, 77, rightmost);
        talk.say(&INITIAL, by.other(), ACK, (1, 1), &others, 0);
        assert!(!talk.exchange.said().kinds().contains(&FindingKind::AddressIdReused), "it was withdrawn before");
        let at = talk.say(&INITIAL, by, ACK, (1, 1), &first, 0);
        let said = talk.exchange.said();
        let finding = said.only(FindingKind::AddressIdReused);
        assert_eq!((finding.packets.as_slice(), finding.towards), ([at].as_slice(), Some(by.other())));
        let (was, is) = if v6 { ("2001:db8::63", "2001:db8::41") } else { ("192.0.2.99", "192.0.2.65") };
        assert!(
            finding.detail.contains(&format!("id 2 is assigned to {is}, although it still stands for {was}")),
            "{finding:?}"
        );
        assert_eq!(said.told("address_id_reused").len(), 1);
    });
}

#[test]
fn a_forged_advertisement_does_not_reuse_an_id() {
    for by in Role::BOTH {
        let mut talk = Talk::begun(1, false, false);
        let (first, forged) = (talk.add_addr(by, 2, 65, rightmost), talk.add_addr(by, 2, 99, |_| [7; 8]));
        talk.say(&INITIAL, by, ACK, (1, 1), &first, 0);
        talk.say(&INITIAL, by, ACK, (1, 1), &forged, 0);
        let kinds = talk.exchange.said().kinds();
        assert!(kinds.contains(&FindingKind::AddressHmacInvalid) && !kinds.contains(&FindingKind::AddressIdReused));
    }
}

#[test]
fn the_wrong_part_of_the_right_hmac_is_a_mistake_and_no_forgery() {
    for v6 in [false, true] {
        for by in Role::BOTH {
            let kind = |part: fn(&[u8]) -> [u8; 8]| {
                let mut talk = Talk::begun(1, v6, false);
                let option = talk.add_addr(by, 3, 65, part);
                talk.say(&INITIAL, by, ACK, (1, 1), &option, 0);
                let said = talk.exchange.said();
                let told = said.told("add_addr")[0].1.to_string();
                let of = [FindingKind::AddressHmacInvalid, FindingKind::AddressHmacWrongHalf];
                (said.kinds().into_iter().find(|kind| of.contains(kind)), told)
            };
            assert_eq!(kind(rightmost).0, None);
            let (found, told) = kind(|hmac| *hmac.first_chunk().unwrap());
            assert_eq!(found, Some(FindingKind::AddressHmacWrongHalf));
            assert!(told.ends_with("HMAC invalid: it is the leftmost half of the correct value"), "{told}");
            // As if the HMAC had 160 bits.
            assert_eq!(kind(|hmac| *hmac[..20].last_chunk().unwrap()).0, Some(FindingKind::AddressHmacWrongHalf));
            assert_eq!(kind(|_| [1; 8]).0, Some(FindingKind::AddressHmacInvalid));
        }
    }
}

#[test]
fn a_malformed_option_is_not_a_cut_one() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, false);
        // A DSS whose flags announce a DATA_ACK of 8 bytes, of which its length leaves 4 (RFC 8684 §3.3).
        let at = talk.say(&INITIAL, by, ACK, (1, 1), &[30, 8, 0x20, 3, 0, 0, 0, 1], 0);
        let said = talk.exchange.said();
        let finding = said.only(FindingKind::OptionMalformed);
        assert_eq!(finding.packets, [at]);
        assert!(finding.detail.contains("DSS with the invalid length 8"), "{finding:?}");
        assert!(!said.kinds().contains(&FindingKind::OptionsCut));
        assert_eq!(said.told("option_malformed").len(), 1);
    });
}

#[test]
fn options_removed_on_a_joined_subflow_from_the_handshake_on() {
    each(|version, v6, by| {
        for stream in [JOINED, JOINED_BACK] {
            let mut talk = Talk::begun(version, v6, false);
            talk.join(&stream, 1);
            let (dss, bare) = (talk.dss(by.other(), 0, Some((1, 1, 100)), None), &[]);
            // Whoever opened it, the other end's data come, and this end's acknowledgements have no option.
            talk.say(&stream, by.other(), ACK, (1, 1), &dss, 100);
            let at = talk.say(&stream, by, ACK, (1, 101), bare, 0);
            let said = talk.exchange.said();
            let finding = said.only(FindingKind::SubflowOptionsRemoved);
            let place = (finding.packets.as_slice(), finding.tcpstream, finding.towards);
            assert_eq!(place, ([at].as_slice(), Some(StreamId(1)), Some(by.other())));
            assert_eq!(said.told("subflow_options_removed").first().map(|(packet, _)| *packet), Some(at));
        }
    });
}

#[test]
fn options_removed_on_a_joined_subflow_later() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, false);
        talk.join(&JOINED, 1);
        let mut told = Vec::new();
        for number in 0..6_u32 {
            let (start, far) = (number * 100 + 1, u64::from(number) * 100 + 1);
            // This end's data come without an option from the third packet on.
            let own = if number < 2 { talk.dss(by, 0, Some((far, start, 100)), None) } else { Vec::new() };
            told.push(talk.say(&JOINED, by, ACK, (start, 1), &own, 100));
            let answer = talk.dss(by.other(), far + 99, None, None);
            talk.say(&JOINED, by.other(), ACK, (1, start + 100), &answer, 0);
        }
        let said = talk.exchange.said();
        let finding = said.only(FindingKind::SubflowOptionsRemoved);
        assert_eq!(finding.packets, told[2..]);
        assert!(finding.detail.contains(&format!("its last option is in packet {}", told[1])), "{finding:?}");
        assert_eq!(said.told("subflow_options_removed").len(), 1);
    });
}

#[test]
fn options_removed_on_the_initial_subflow_once_another_has_joined() {
    each(|version, v6, by| {
        for joined in [true, false] {
            let mut talk = Talk::begun(version, v6, false);
            if joined {
                talk.join(&JOINED, 1);
            }
            let mut told = Vec::new();
            for number in 0..6_u32 {
                let (start, far) = (number * 100 + 1, u64::from(number) * 100 + 1);
                let data = talk.dss(by.other(), 0, Some((far, start, 100)), None);
                talk.say(&INITIAL, by.other(), ACK, (start, 1), &data, 100);
                // The acknowledgements lose theirs from the third on.
                let own = if number < 2 { talk.dss(by, far + 99, None, None) } else { Vec::new() };
                told.push(talk.say(&INITIAL, by, ACK, (1, start + 100), &own, 0));
            }
            let said = talk.exchange.said();
            if joined {
                let finding = said.only(FindingKind::SubflowOptionsRemoved);
                assert_eq!((finding.packets.as_slice(), finding.tcpstream), (&told[2..], Some(StreamId(0))));
                assert_eq!(said.told("subflow_options_removed").len(), 1);
            } else {
                assert!(!said.kinds().contains(&FindingKind::SubflowOptionsRemoved), "it may fall back");
            }
        }
    });
}

#[test]
fn what_needs_no_option_is_not_missed() {
    each(|version, v6, by| {
        let mut talk = Talk::begun(version, v6, false);
        talk.join(&JOINED, 1);
        // One mapping for three segments, of which the first alone carries it; nobody missed it on the others.
        let mapping = talk.dss(by, 0, Some((1, 1, 300)), None);
        talk.say(&JOINED, by, ACK, (1, 1), &mapping, 100);
        talk.say(&JOINED, by, ACK, (101, 1), &[], 100);
        talk.say(&JOINED, by, ACK, (201, 1), &[], 100);
        let answer = talk.dss(by.other(), 300, None, None);
        talk.say(&JOINED, by.other(), ACK, (1, 301), &answer, 0);
        // Acknowledgements of nothing new, and what follows a FIN.
        for _ in 0..5 {
            talk.say(&JOINED, by.other(), ACK, (1, 301), &[], 0);
        }
        let fin = talk.dss(by, 0, None, None);
        talk.say(&JOINED, by, FIN | ACK, (301, 1), &fin, 0);
        talk.say(&JOINED, by.other(), ACK, (1, 302), &[], 0);
        assert!(!talk.exchange.said().kinds().contains(&FindingKind::SubflowOptionsRemoved));
    });
}

#[test]
fn versions_that_do_not_fit() {
    use crate::support::exchange::{Exchange, SYN};
    for v6 in [false, true] {
        // RFC 8684 §3.1: a server that knows version 0 alone answers with it; the client may go on in it, or as plain TCP.
        let begun = |goes_on: bool| {
            let mut talk = Talk::begun(0, v6, false);
            talk.exchange = Exchange::new(v6);
            talk.say(&INITIAL, Role::Client, SYN, (0, 0), &option::capable(1, 1, &[], &[]), 0);
            talk.say(&INITIAL, Role::Server, SYN | ACK, (0, 1), &option::capable(0, 1, &KEYS[1..], &[]), 0);
            let ack = if goes_on { option::capable(0, 1, &KEYS, &[]) } else { Vec::new() };
            talk.say(&INITIAL, Role::Client, ACK, (1, 1), &ack, 0);
            talk.exchange.said()
        };
        assert_eq!(begun(true).problems(), []);
        let said = begun(false);
        let finding = said.only(FindingKind::Fallback);
        assert!(finding.detail.contains("incompatible versions"), "{finding:?}");
        assert!(said.told("fallback")[0].1.contains("another version than the SYN"));
    }
}

#[test]
fn the_subflow_of_the_named_id_becomes_the_backup_and_not_the_one_that_carries_the_option() {
    for v6 in [false, true] {
        let mut talk = Talk::begun(0, v6, false);
        talk.join(&JOINED, 1);
        talk.say(&INITIAL, Role::Client, ACK, (1, 1), &[30, 4, 0x51, 1], 0);
        let said = talk.exchange.said();
        assert_eq!(said.only(FindingKind::SubflowBackup).tcpstream, Some(StreamId(1)));
        let capture = talk.exchange.capture();
        let records = subflows(&capture, capture.tracking.connection(ConnectionId(0)).unwrap());
        let backups: Vec<_> = records.iter().map(|record| (record.backup, record.backup_at_end)).collect();
        assert_eq!(backups, [(Some(false), Some(false)), (Some(false), Some(true))]);
        // Without an id it is the subflow that carries the option.
        let mut own = Talk::begun(0, v6, false);
        own.join(&JOINED, 1);
        own.say(&INITIAL, Role::Client, ACK, (1, 1), &[30, 3, 0x51], 0);
        assert_eq!(own.exchange.said().only(FindingKind::SubflowBackup).tcpstream, Some(StreamId(0)));
    }
}

#[test]
fn a_reset_with_the_time_to_live_of_somebody_else() {
    each(|version, v6, by| {
        let reset = |ttl: u8| {
            let mut talk = Talk::begun(version, v6, false);
            talk.join(&JOINED, 1);
            chat(&mut talk, by, 0);
            // All packets so far have 64.
            if by == Role::Client {
                talk.set_ttls(ttl, 64)
            } else {
                talk.set_ttls(64, ttl)
            }
            let at = talk.say(&INITIAL, by, RST | ACK, (101, 101), &[], 0);
            (at, talk.exchange.said())
        };
        let (_, own) = reset(64);
        assert!(!own.kinds().contains(&FindingKind::ResetTtlDiffers));
        assert_eq!(own.told("reset_ttl_differs"), []);
        let (at, strange) = reset(250);
        let finding = strange.only(FindingKind::ResetTtlDiffers);
        assert_eq!((finding.packets.as_slice(), finding.tcpstream), ([at].as_slice(), Some(StreamId(0))));
        let text = format!("in the name of the {} with a time to live of 250", by.name());
        assert!(finding.detail.contains(&text) && finding.detail.ends_with("have 64"), "{finding:?}");
        assert_eq!(strange.told("reset_ttl_differs").len(), 1);
    });
}

#[test]
fn an_address_that_must_be_ignored_is_not_missed() {
    for by in Role::BOTH {
        let mut talk = Talk::begun(1, false, false);
        let wrong = talk.add_addr(by, 3, 65, |hmac| *hmac.first_chunk().unwrap());
        talk.say(&INITIAL, by, ACK, (1, 1), &wrong, 0);
        assert_eq!(talk.exchange.said().kinds(), [FindingKind::AddressHmacWrongHalf]);
    }
}

#[test]
fn options_that_go_and_come_back_take_no_time_that_grows_with_its_square() {
    let flapping = |count: u32| {
        let mut talk = Talk::begun(1, false, false);
        talk.join(&JOINED, 1);
        for number in 0..count {
            let start = number * 10 + 1;
            let own = if number % 4 == 0 {
                talk.dss(Role::Client, 0, Some((start.into(), start, 10)), None)
            } else {
                Vec::new()
            };
            talk.say(&JOINED, Role::Client, ACK, (start, 1), &own, 10);
        }
        let capture = talk.exchange.capture();
        let started = std::time::Instant::now();
        let said = Said::of(&capture);
        let found = said.findings.iter().filter(|finding| finding.finding == FindingKind::SubflowOptionsRemoved);
        assert_eq!(found.count() as u32, count / 4);
        started.elapsed()
    };
    let (few, many) = (flapping(4000), flapping(32_000));
    assert!(many < few * 32 + std::time::Duration::from_millis(500), "{few:?}, {many:?}");
}
