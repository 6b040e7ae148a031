//! From a segment to the frame that it would be dissected from.

use std::net::IpAddr;

use mptcp_trace::packets::segment::{Control, Dss, Fields, Join, flag, subtype};

/// Appends an Ethernet frame with the segment, its payload all zeros.
pub fn frame(segment: &Fields, out: &mut Vec<u8>) {
    let options = options(segment);
    let payload = segment.payload.unwrap_or(0) as usize;
    let length = 20 + options.len() + payload;
    out.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    match (segment.source, segment.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            out.extend([8, 0, 0x45, 0]);
            out.extend(u16::try_from(length + 20).unwrap_or(0).to_be_bytes());
            out.extend([(segment.packetid >> 8) as u8, segment.packetid as u8, 0x40, 0, 64, 6, 0, 0]);
            out.extend(source.octets());
            out.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            out.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
            out.extend([6, 64]);
            out.extend(source.octets());
            out.extend(destination.octets());
        }
        _ => panic!("both addresses are of one version"),
    }
    out.extend(segment.source_port.to_be_bytes());
    out.extend(segment.destination_port.to_be_bytes());
    out.extend(segment.sequence.to_be_bytes());
    out.extend(segment.acknowledgement.to_be_bytes());
    let offset = u16::try_from((20 + options.len()) / 4).expect("options fit") << 12;
    out.extend((offset | segment.flags & 0x0fff).to_be_bytes());
    out.extend(segment.window.to_be_bytes());
    out.extend([0; 4]);
    out.extend(options);
    out.resize(out.len() + payload, 0);
}

/// TCP's options, filled up to a multiple of four bytes.
fn options(segment: &Fields) -> Vec<u8> {
    let mut out = Vec::new();
    if segment.flags & flag::SYN != 0 {
        out.extend([2, 4, 0x05, 0xb4, 4, 2]);
    }
    if let Some((value, echo)) = segment.timestamps {
        out.extend([8, 10]);
        out.extend(value.to_be_bytes());
        out.extend(echo.to_be_bytes());
    }
    if let Some(shift) = segment.window_scale {
        out.extend([3, 3, shift]);
    }
    let sack = segment.sack.as_slice();
    if !sack.is_empty() {
        out.extend([5, (2 + 8 * sack.len()) as u8]);
        out.extend(sack.iter().flat_map(|(left, right)| [left.to_be_bytes(), right.to_be_bytes()]).flatten());
    }
    while !out.len().is_multiple_of(4) {
        out.push(1);
    }
    let control = segment.control.as_deref();
    let subtypes = control.map_or(segment.dss.iter().map(|_| subtype::DSS).collect(), |c| c.subtypes.clone());
    for subtype in subtypes {
        let start = out.len();
        out.extend([30, 0]);
        match (subtype, control, &segment.dss) {
            (subtype::DSS, _, Some(option)) => dss(option, &mut out),
            (_, Some(control), _) => mptcp(subtype, control, &mut out),
            _ => {}
        }
        out[start + 1] = (out.len() - start) as u8;
    }
    while !out.len().is_multiple_of(4) {
        out.push(1);
    }
    assert!(out.len() <= 40, "{} bytes of options in {segment:?}", out.len());
    out
}

fn number(value: u64, long: bool, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    out.extend(if long { &bytes[..] } else { &bytes[4..] });
}

fn dss(dss: &Dss, out: &mut Vec<u8>) {
    out.extend([subtype::DSS << 4, dss.flags]);
    if let Some(ack) = dss.data_ack {
        number(ack, dss.has(Dss::DATA_ACK_8), out);
    }
    if let Some(mapping) = &dss.mapping {
        number(mapping.dsn, dss.has(Dss::DSN_8), out);
        out.extend(mapping.ssn.to_be_bytes());
        out.extend(mapping.length.to_be_bytes());
        out.extend(mapping.checksum.iter().flat_map(|sum| sum.to_be_bytes()));
    }
}

fn mptcp(kind: u8, control: &Control, out: &mut Vec<u8>) {
    let first = kind << 4;
    match kind {
        subtype::MP_CAPABLE => {
            let Some(capable) = &control.capable else { return };
            out.extend([first | capable.version, capable.flags]);
            out.extend(capable.sender_key.iter().chain(&capable.receiver_key).flat_map(|key| key.to_be_bytes()));
            out.extend(capable.data_length.iter().chain(&capable.checksum).flat_map(|number| number.to_be_bytes()));
        }
        subtype::MP_JOIN => match &control.join {
            Some(Join::Syn { backup, address_id, token, nonce }) => {
                out.extend([first | u8::from(*backup), *address_id]);
                out.extend(token.iter().chain(nonce).flat_map(|number| number.to_be_bytes()));
            }
            Some(Join::SynAck { backup, address_id, truncated_hmac, nonce }) => {
                out.extend([first | u8::from(*backup), *address_id]);
                out.extend(truncated_hmac.iter().flat_map(|number| number.to_be_bytes()));
                out.extend(nonce.iter().flat_map(|number| number.to_be_bytes()));
            }
            Some(Join::Ack { hmac }) => {
                out.extend([first, 0]);
                out.extend(hmac.iter().flatten());
            }
            None => {}
        },
        subtype::ADD_ADDR => {
            let Some(add) = &control.add_addr else { return };
            out.extend([first | u8::from(add.echo), add.address_id]);
            match add.address {
                Some(IpAddr::V4(address)) => out.extend(address.octets()),
                Some(IpAddr::V6(address)) => out.extend(address.octets()),
                None => {}
            }
            out.extend(add.port.iter().flat_map(|port| port.to_be_bytes()));
            out.extend(add.hmac.iter().flat_map(|hmac| hmac.to_be_bytes()));
        }
        subtype::REMOVE_ADDR => {
            out.push(first);
            out.extend(control.remove_addr.iter().flatten());
        }
        subtype::MP_PRIO => {
            let Some(prio) = control.prio else { return };
            out.push(first | u8::from(prio.backup));
            out.extend(prio.address_id);
        }
        subtype::MP_FAIL | subtype::MP_FASTCLOSE => {
            out.extend([first, 0]);
            let number = if kind == subtype::MP_FAIL { control.fail } else { control.fastclose };
            out.extend(number.iter().flat_map(|number| number.to_be_bytes()));
        }
        subtype::MP_TCPRST => {
            let Some(reset) = control.reset else { return };
            out.push(first | reset.flags);
            out.extend(reset.reason);
        }
        _ => out.push(first),
    }
}
