//! What the targets of the packet layers demand: a frame cut by the snap length never says anything that the whole frame
//! does not say.

use mptcp_trace::packets::native::dissect_frame;
use mptcp_trace::packets::segment::{Fields, subtype};

/// Raw IP, the link type without a header.
pub const RAW_IP: u32 = 101;

/// TCP option kind of MPTCP.
pub const MPTCP: u8 = 30;

/// Dissects a frame whole, and cut to `recorded` bytes, and compares.
pub fn check_frame(link_type: u32, frame: &[u8], recorded: usize) {
    let Ok(whole) = dissect_frame(link_type, frame, frame.len()) else { return };
    if let Some(whole) = &whole {
        check_segment(whole);
    }
    let recorded = frame.get(..recorded).unwrap_or(frame);
    let Ok(Some(part)) = dissect_frame(link_type, recorded, frame.len()) else { return };
    check_segment(&part);
    let whole = whole.expect("a part holds TCP, and the whole does not");
    if !part.options_cut {
        assert_eq!(part, whole, "nothing was said to be cut");
    }
    let header = |segment: &Fields| {
        (
            (segment.source, segment.source_port, segment.destination, segment.destination_port),
            (segment.flags, segment.window, segment.sequence, segment.acknowledgement, segment.payload),
        )
    };
    assert_eq!(header(&part), header(&whole));
}

/// What a segment says fits together.
fn check_segment(segment: &Fields) {
    let Some(control) = &segment.control else { return };
    assert!(!control.subtypes.is_empty(), "contents without a subtype");
    // A header has room for 40 bytes of options, and an option has two at least.
    assert!(control.subtypes.len() <= 20, "more options than a header has room for");
    let has = |kind: u8| control.subtypes.contains(&kind);
    assert!(has(subtype::MP_CAPABLE) || control.capable.is_none());
    assert!(has(subtype::MP_JOIN) || control.join.is_none());
    assert!(has(subtype::ADD_ADDR) || control.add_addr.is_none());
    assert!(has(subtype::REMOVE_ADDR) || control.remove_addr.is_none());
    assert!(has(subtype::MP_PRIO) || control.prio.is_none());
    assert!(has(subtype::MP_FAIL) || control.fail.is_none());
    assert!(has(subtype::MP_FASTCLOSE) || control.fastclose.is_none());
    assert!(has(subtype::MP_TCPRST) || control.reset.is_none());
    assert!(has(subtype::DSS) || segment.dss.is_none());
    assert!(control.remove_addr.as_ref().is_none_or(|ids| ids.len() <= 37), "more address ids than fit");
}

/// An IPv4 packet of that protocol around `content`.
#[must_use]
pub fn ipv4(protocol: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len().saturating_add(20)).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend(content);
    packet
}
