//! IPv4 and IPv6: options, extension headers, fragments, lengths.

use super::build::{Frame, cut, ethernet, ipv4, ipv4_with, ipv6, padded, pcap, plain, tcp, tcp_with};
use super::{Case, agree, case, dissect, found_in_all_but_not, packet_ids};
use crate::support::columns_of::Columns;

fn ipv4_frame(options: &[u8], fragment: u16, content: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4_with(options, fragment, 6, content))
}

/// The frame with another byte at `at`, from the start of the IP header.
fn changed(mut frame: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    frame[14 + at..14 + at + bytes.len()].copy_from_slice(bytes);
    frame
}

#[test]
fn ipv4_headers() {
    let data = tcp(&[], b"data");
    let cases = [
        case("no operations", ipv4_frame(&[1, 1, 1, 0], 0, &data)),
        case("record route", ipv4_frame(&padded(&[7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0]), 0, &data)),
        case("time stamps", ipv4_frame(&[68, 12, 13, 0, 0, 0, 0, 1, 0, 0, 0, 0], 0, &data)),
        case("router alert", ipv4_frame(&[148, 4, 0, 0], 0, &data)),
        case("forty bytes", ipv4_frame(&[1; 40], 0, &data)),
        case("malformed options", ipv4_frame(&[7, 0, 8, 255], 0, &data)),
        case("do not fragment", ipv4_frame(&[], 0x4000, &data)),
        case("reserved bit", ipv4_frame(&[], 0x8000, &data)),
        case("congestion experienced", changed(plain(&[], b"x"), 1, &[0x03])),
        case("time to live 0", changed(plain(&[], b"x"), 8, &[0])),
        case("not a header below the least", changed(plain(&[], b"x"), 0, &[0x44])),
        case("not version 5", changed(plain(&[], b"x"), 0, &[0x55])),
        case("not shorter than its header", changed(plain(&[], b"x"), 2, &[0, 19])),
        case("not just its header", changed(plain(&[], b"x"), 2, &[0, 20])),
        case("not within the TCP header", changed(plain(&[], b"x"), 2, &[0, 35])),
        case("up to the window", changed(plain(&[], b"x"), 2, &[0, 36])),
        case("up to before the end of the TCP header", changed(plain(&[], b"x"), 2, &[0, 39])),
        case("no payload by its length", changed(plain(&[], b"x"), 2, &[0, 40])),
        case("longer than the frame", changed(plain(&[], b"x"), 2, &[0x05, 0xdc])),
        case("not UDP", ethernet(0x0800, &ipv4(17, &[0; 12]))),
        case("not ESP", ethernet(0x0800, &ipv4(50, &[0; 40]))),
        case("not SCTP", ethernet(0x0800, &ipv4(132, &[0; 40]))),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

/// The last address of a route that is not used up is where the packet goes (RFC 791 §3.1).
#[test]
fn source_routes() {
    let data = tcp(&[], b"data");
    let (one, two) = ([198, 51, 100, 1], [198, 51, 100, 1, 198, 51, 100, 2]);
    let route = |kind: u8, length: u8, pointer: u8, addresses: &[u8]| {
        ipv4_frame(&padded(&[&[kind, length, pointer], addresses].concat()), 0, &data)
    };
    let before = |bytes: &[u8]| ipv4_frame(&padded(&[bytes, &[131, 7, 4], &one].concat()), 0, &data);
    let cases = [
        case("loose", route(131, 7, 4, &one)),
        case("strict", route(137, 7, 4, &one)),
        case("two to come", route(131, 11, 4, &two)),
        case("one to come", route(131, 11, 8, &two)),
        case("used up", route(131, 11, 12, &two)),
        case("pointer 0", route(131, 7, 0, &one)),
        case("pointer 3", route(131, 7, 3, &one)),
        case("pointer 5", route(131, 7, 5, &one)),
        case("pointer at the end", route(131, 7, 7, &one)),
        case("pointer behind the end", route(131, 7, 255, &one)),
        case("no address", route(131, 3, 4, &[])),
        case("half an address", route(131, 6, 4, &[198, 51, 100])),
        case("one and a half", route(131, 9, 4, &[198, 51, 100, 1, 198, 51])),
        case("behind the header", route(131, 40, 4, &one)),
        case("after no operations", before(&[1, 1])),
        case("after the end", before(&[0])),
        case("after another option", before(&[148, 4, 0, 0])),
        case("after an option of length 0", before(&[148, 0, 0, 0])),
        case("after an option of length 1", before(&[148, 1, 0, 0])),
        case("after a record of the route", before(&[7, 7, 4, 0, 0, 0, 0])),
        case("two routes", before(&[137, 7, 4, 203, 0, 113, 7])),
        case("one used up before", before(&[137, 7, 8, 203, 0, 113, 7])),
    ];
    let given_up = "tshark gives the packet up when an option ends within an address";
    let found = agree(1, &cases, &[("half an", "packetid", given_up), ("one and a half", "packetid", given_up)]);
    found_in_all_but_not(&cases, &found);
    let cells = found.cells("ipdst");
    let to: Vec<Option<&str>> = cells.str().unwrap().iter().take(5).collect();
    let on = |last| Some(if last == 1 { "198.51.100.1" } else { "198.51.100.2" });
    assert_eq!(to, [on(1), on(1), on(2), on(2), Some("192.0.2.2")]);
}

/// A card that cuts packets up by itself is given longer ones than the header can tell: the length says 0.
#[test]
fn lengths_of_zero_before_segmentation_by_the_card() {
    let four = changed(plain(&[], &[7; 70_000]), 2, &[0, 0]);
    let six = changed(ethernet(0x86dd, &ipv6(6, &tcp(&[], &[7; 70_000]))), 4, &[0, 0]);
    let short = changed(plain(&[], &[7; 50]), 2, &[0, 0]);
    let cases = [case("IPv4", four.clone()), case("IPv6", six), case("short", short), case("cut", cut(four, 96))];
    let only_here =
        "tshark takes an IPv6 packet of this length for an empty one, unless told otherwise by a preference";
    let found = agree(1, &cases, &[("IPv6", "packetid", only_here)]);
    found_in_all_but_not(&cases, &found);
    let numbers = |name: &str| -> Vec<Option<u32>> { found.cells(name).u32().unwrap().iter().collect() };
    assert_eq!(numbers("tcplen"), [Some(70_000), Some(70_000), Some(50), Some(70_000)]);
    assert_eq!(numbers("iplen"), [Some(70_040), Some(70_020), Some(90), Some(70_040)]);
}

fn ipv6_frame(headers: &[(u8, &[u8])], content: &[u8]) -> Vec<u8> {
    // From the innermost: each header begins with the number of the next.
    let (next, content) = headers.iter().rev().fold((6, content.to_vec()), |(next, content), (number, header)| {
        (*number, [&[next], &header[1..], &content].concat())
    });
    ethernet(0x86dd, &ipv6(next, &content))
}

#[test]
fn ipv6_extension_headers() {
    let data = tcp(&[], b"data");
    let options: &[u8] = &[0, 0, 1, 4, 0, 0, 0, 0];
    let long_options: &[u8] = &[&[0, 1, 1, 12][..], &[0; 12]].concat();
    let alert: &[u8] = &[0, 0, 5, 2, 0, 0, 1, 0];
    let routing: &[u8] =
        &[&[0, 2, 0, 1, 0, 0, 0, 0][..], &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]].concat();
    let segment_routing: &[u8] =
        &[&[0, 2, 4, 0, 0, 0, 0, 0][..], &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]].concat();
    let whole: &[u8] = &[0, 0, 0, 0, 1, 2, 3, 4];
    let authentication: &[u8] = &[0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let mut cases = vec![
        case("hop by hop", ipv6_frame(&[(0, options)], &data)),
        case("router alert", ipv6_frame(&[(0, alert)], &data)),
        case("long hop by hop", ipv6_frame(&[(0, long_options)], &data)),
        case("destination options", ipv6_frame(&[(60, options)], &data)),
        case("segments used up", ipv6_frame(&[(43, segment_routing)], &data)),
        case("a fragment that is whole", ipv6_frame(&[(44, whole)], &data)),
        case("authentication", ipv6_frame(&[(51, authentication)], &data)),
        case("four of them", ipv6_frame(&[(0, options), (60, options), (51, authentication), (60, options)], &data)),
        case("hop by hop in the wrong place", ipv6_frame(&[(60, options), (0, options)], &data)),
        case("Shim6", ipv6_frame(&[(140, &[0, 0, 0x80, 0, 0, 0, 0, 1])], &data)),
        case("not ESP", ipv6_frame(&[(50, &[0, 0, 0, 1, 0, 0, 0, 1])], &data)),
        case("not nothing", ethernet(0x86dd, &ipv6(59, &data))),
        case("not mobility", ipv6_frame(&[(135, &[0, 0, 0, 0, 0, 0, 0, 0])], &data)),
        case("not a header that is too long", ipv6_frame(&[(60, &[0, 200, 1, 4, 0, 0, 0, 0])], &data)),
        case("not a header that ends the packet", ethernet(0x86dd, &ipv6(60, options))),
        case("not ICMPv6", ethernet(0x86dd, &ipv6(58, &[128, 0, 0, 0, 0, 1, 0, 1]))),
        case("padding", [&ethernet(0x86dd, &ipv6(6, &tcp(&[], b""))), &b"trailer"[..]].concat()),
        case("longer than the frame", changed(ethernet(0x86dd, &ipv6(6, &data)), 4, &[5, 0])),
        case("hop limit 0", changed(ethernet(0x86dd, &ipv6(6, &data)), 7, &[0])),
        case("not version 5", changed(ethernet(0x86dd, &ipv6(6, &data)), 0, &[0x50])),
    ];
    let odd: Vec<u8> = [options; 30].concat();
    let many: Vec<(u8, &[u8])> = odd.chunks(8).map(|header| (60, header)).collect();
    cases.push(case("thirty headers", ipv6_frame(&many, &data)));
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
    // On its way to an address that the routing header names.
    let on_the_way = [case("routing", ipv6_frame(&[(43, routing)], &data))];
    found_in_all_but_not(&on_the_way, &agree(1, &on_the_way, &[]));
}

#[test]
fn jumbograms() {
    let jumbo = |length: u32, content: &[u8]| {
        let [a, b, c, d] = length.to_be_bytes();
        changed(ipv6_frame(&[(0, &[0, 0, 0xc2, 4, a, b, c, d])], content), 4, &[0, 0])
    };
    let long = tcp(&[], &[7; 70_000]);
    let cases = [
        case("jumbogram", jumbo(70_028, &long)),
        case("cut", cut(jumbo(70_028, &long), 100)),
        case("with a trailer", [jumbo(70_028, &long), vec![9; 12]].concat()),
    ];
    let field = "tshark shows the header's field, which is 0; the length stands in the option";
    let found = agree(1, &cases, &[("", "iplen", field)]);
    found_in_all_but_not(&cases, &found);
    let lengths = |name| -> Vec<Option<u32>> { found.cells(name).u32().unwrap().iter().collect() };
    // Eight bytes of hop-by-hop header and twenty of TCP's before the data.
    assert_eq!((lengths("tcplen"), lengths("iplen")), (vec![Some(70_000); 3], vec![Some(70_028); 3]));
}

/// tshark puts fragments together and shows TCP at the last; here TCP is read from the first, without a length, and the
/// others are counted. So the expected values are written down.
#[test]
fn fragments() {
    let whole = tcp_with(0x18, &padded(&[8, 10, 0, 0, 0, 1, 0, 0, 0, 2]), &[7; 100]);
    let six = |offset: u16, more: u16, content: &[u8]| {
        let [f0, f1] = (offset << 3 | more).to_be_bytes();
        ipv6_frame(&[(44, &[0, 0, f0, f1, 0, 0, 0, 9])], content)
    };
    let frames: Vec<Frame> = [
        ipv4_frame(&[], 0x2000, &whole[..64]),
        ipv4_frame(&[], 8, &whole[64..]),
        six(0, 1, &whole[..64]),
        six(8, 0, &whole[64..]),
        // Alone, as where the rest took another way; and a later one of UDP, which is none of TCP's business.
        ipv4_frame(&[], 0x2000, &whole[..32]),
        ipv4_frame(&[], 0x2004, &whole[32..64]),
        ethernet(0x0800, &ipv4_with(&[], 0x00ff, 17, &[0; 60])),
        plain(&[], b"whole"),
    ]
    .map(Frame::from)
    .to_vec();
    let found = dissect(&pcap(1, &frames));
    assert_eq!(packet_ids(&found), [1, 3, 5, 8]);
    let lengths: Vec<Option<u32>> = found.cells("tcplen").u32().unwrap().iter().collect();
    assert_eq!(lengths, [None, None, None, Some(5)]);
    let values: Vec<Option<u32>> = found.cells("tcptsval").u32().unwrap().iter().collect();
    assert_eq!(values, [Some(1), Some(1), Some(1), None]);
    let said = "3 later fragments of IP packets skipped: TCP is read from the first fragment, without the payload's \
                length";
    assert_eq!(found.facts.warnings, [said]);
}

/// What quotes TCP is not TCP, whatever stands around it.
#[test]
fn quotations_in_icmp_errors() {
    let quoted = ipv4(6, &tcp(&[], b"data"));
    let error = |kind: u8, quoted: &[u8]| [&[kind, 1, 0, 0, 0, 0, 0, 0][..], quoted].concat();
    let cases: Vec<Case> = vec![
        case("not unreachable", ethernet(0x0800, &ipv4(1, &error(3, &quoted)))),
        case("not eight bytes of it", ethernet(0x0800, &ipv4(1, &error(3, &quoted[..28])))),
        case("not time exceeded", ethernet(0x0800, &ipv4(1, &error(11, &quoted)))),
        case("not ICMPv6", ethernet(0x86dd, &ipv6(58, &error(1, &ipv6(6, &tcp(&[], b"data")))))),
        case("TCP", plain(&[], b"")),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}
