//! Tunnels: those that are opened, and those that are counted.

use super::build::{Frame, ethernet, ipv4, ipv4_with, ipv6, pcap, plain, tcp, udp};
use super::{Case, agree, case, dissect, found_in_all_but_not, packet_ids};
use crate::support::columns_of::Columns;

fn v4() -> Vec<u8> {
    ipv4(6, &tcp(&[], b"inner"))
}

fn v6() -> Vec<u8> {
    ipv6(6, &tcp(&[], b"inner six"))
}

fn in_ipv4(protocol: u8, content: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(protocol, content))
}

#[test]
fn ip_in_ip() {
    let mut deep = v4();
    for _ in 0..20 {
        deep = ipv4(4, &deep);
    }
    let cases = [
        case("IPv4 in IPv4", in_ipv4(4, &v4())),
        case("IPv6 in IPv4", in_ipv4(41, &v6())),
        case("IPv4 in IPv6", ethernet(0x86dd, &ipv6(4, &v4()))),
        case("IPv6 in IPv6", ethernet(0x86dd, &ipv6(41, &v6()))),
        case("three deep", in_ipv4(4, &ipv4(41, &ipv6(4, &v4())))),
        case("MPLS in IPv4", in_ipv4(137, &[&[0, 6, 0x41, 64][..], &v4()].concat())),
        case("Ethernet in IPv6", ethernet(0x86dd, &ipv6(143, &plain(&[], b"inner")))),
        case("not UDP in IPv4", in_ipv4(4, &ipv4(17, &udp(5000, 5001, b"data")))),
        case("twenty deep", ethernet(0x0800, &deep)),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn generic_routing_encapsulation() {
    let gre = |header: &[u8], content: &[u8]| in_ipv4(47, &[header, content].concat());
    let frame = plain(&[], b"inner");
    let cases = [
        case("IPv4", gre(&[0, 0, 8, 0], &v4())),
        case("IPv6", gre(&[0, 0, 0x86, 0xdd], &v6())),
        case("key", gre(&[0x20, 0, 8, 0, 0, 0, 0, 7], &v4())),
        case("checksum", gre(&[0x80, 0, 8, 0, 0, 0, 0, 0], &v4())),
        case("key and number", gre(&[0x30, 0, 8, 0, 0, 0, 0, 7, 0, 0, 0, 1], &v4())),
        case("all", gre(&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1], &v4())),
        case("Ethernet", gre(&[0, 0, 0x65, 0x58], &frame)),
        case("MPLS", gre(&[0, 0, 0x88, 0x47, 0, 6, 0x41, 64], &v4())),
        case("source route", gre(&[0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0], &v4())),
        case("PPTP", gre(&[0x30, 1, 0x88, 0x0b, 0, 51, 0, 1, 0, 0, 0, 9, 0xff, 3, 0, 0x21], &v4())),
        case(
            "PPTP with acknowledgement",
            gre(&[0x30, 0x81, 0x88, 0x0b, 0, 47, 0, 1, 0, 0, 0, 9, 0, 0, 0, 3, 0x21], &v4()),
        ),
        case("a bit that means nothing outside of PPP", gre(&[0x20, 0x80, 8, 0, 0, 0, 0, 7], &v4())),
        case("the same in version 1", gre(&[0x20, 0x81, 8, 0, 0, 0, 0, 7], &v4())),
        case("in IPv6", ethernet(0x86dd, &ipv6(47, &[&[0, 0, 8, 0][..], &v4()].concat()))),
        case("in GRE", gre(&[0, 0, 8, 0], &ipv4(47, &[&[0, 0, 8, 0][..], &v4()].concat()))),
        case("not keep-alive", gre(&[0, 0, 0, 0], &[])),
        case("not cut", gre(&[0x20, 0, 8, 0], &[])),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn vxlan() {
    let header = [8, 0, 0, 0, 0, 0, 42, 0];
    let vxlan = |content: &[u8]| in_ipv4(17, &udp(49_152, 4789, &[&header[..], content].concat()));
    let frame = plain(&[], b"inner");
    let tagged = [&frame[..12], &[0x81, 0, 0, 5], &frame[12..]].concat();
    let cases = [
        case("IPv4", vxlan(&frame)),
        case("IPv6", vxlan(&ethernet(0x86dd, &v6()))),
        case("VLAN", vxlan(&tagged)),
        case("VXLAN in VXLAN", vxlan(&vxlan(&frame))),
        case("outer padding", [vxlan(&frame), vec![0; 5]].concat()),
        case("over IPv6", ethernet(0x86dd, &ipv6(17, &udp(1, 4789, &[&header[..], &frame].concat())))),
        case("not ARP", vxlan(&ethernet(0x0806, &[0; 28]))),
        case("not empty", in_ipv4(17, &udp(1, 4789, &header))),
        case("not cut", in_ipv4(17, &udp(1, 4789, &header[..4]))),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

/// Tunnels that are not opened are counted, and said, whatever is in them.
#[test]
fn tunnels_that_are_not_opened() {
    let frames: Vec<Frame> = [
        // GTP-U, GENEVE, VXLAN with another header, L2TP, Teredo, LISP, MPLS.
        in_ipv4(17, &udp(2152, 2152, &[&[0x30, 255, 0, 45, 0, 0, 0, 1][..], &v4()].concat())),
        in_ipv4(17, &udp(1, 6081, &[&[0, 0, 0x65, 0x58, 0, 0, 1, 0][..], &plain(&[], b"")].concat())),
        in_ipv4(17, &udp(1, 4790, &[&[0x0c, 0, 0, 1, 0, 0, 1, 0][..], &v4()].concat())),
        in_ipv4(17, &udp(1701, 1701, &[&[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21][..], &v4()].concat())),
        in_ipv4(17, &udp(3544, 5000, &v6())),
        in_ipv4(17, &udp(1, 4341, &[&[0; 8][..], &v4()].concat())),
        in_ipv4(17, &udp(49_152, 6635, &[&[0, 6, 0x41, 64][..], &v4()].concat())),
        // VXLAN in UDP-Lite.
        in_ipv4(136, &udp(1, 4789, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], &plain(&[], b"")].concat())),
        // Ethernet in IP, and a provider's backbone.
        in_ipv4(97, &[&[0x30, 0][..], &plain(&[], b"")].concat()),
        ethernet(0x88e7, &[&[0, 0, 0, 1][..], &plain(&[], b"")].concat()),
        // TCP/IP headers compressed as Van Jacobson did, in PPPoE.
        ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 47, 0, 0x2f][..], &v4()].concat()),
        // A pseudowire in MPLS.
        ethernet(0x8847, &[&[0, 6, 0x41, 64, 0, 0, 0, 0][..], &plain(&[], b"")].concat()),
        plain(&[], b"outside"),
    ]
    .map(Frame::from)
    .to_vec();
    let found = dissect(&pcap(1, &frames));
    assert_eq!(packet_ids(&found), [13]);
    let said = "12 packets skipped: in unopened tunnels, which may contain TCP";
    assert_eq!(found.facts.warnings, [said]);
}

/// A fragment of a tunnel holds the start of what is in the tunnel, and its length cannot be told.
#[test]
fn the_first_fragment_of_a_tunnel() {
    let inner = ipv4(6, &tcp(&[], &[7; 200]));
    let frames: Vec<Frame> = vec![
        ethernet(0x0800, &ipv4_with(&[], 0x2000, 4, &inner[..64])).into(),
        ethernet(0x0800, &ipv4_with(&[], 8, 4, &inner[64..])).into(),
    ];
    let found = dissect(&pcap(1, &frames));
    assert_eq!(packet_ids(&found), [1]);
    let lengths: Vec<Option<u32>> = found.cells("tcplen").u32().unwrap().iter().collect();
    assert_eq!(lengths, [None]);
    assert_eq!(found.facts.warnings, Vec::<String>::new());
}

/// Link types that are not understood are counted by their number.
#[test]
fn link_types_that_are_not_understood() {
    // 802.11 with a radiotap header.
    let cases: [Case; 2] = [case("one", vec![0; 40]), case("two", vec![0; 40])];
    let frames: Vec<Frame> = cases.iter().map(|(_, frame)| frame.clone()).collect();
    let found = dissect(&pcap(127, &frames));
    assert_eq!((packet_ids(&found), found.facts.frames), (vec![], 2));
    let said = "2 packets skipped: link type 127 is not supported";
    assert_eq!(found.facts.warnings, [said]);
}
