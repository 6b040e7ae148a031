//! Link layers.

use super::build::{Frame, cut, ethernet, ipv4, ipv6, plain, tcp};
use super::{Case, agree, case, found_in_all_but_not};

fn v4() -> Vec<u8> {
    ipv4(6, &tcp(&[], b"four"))
}

fn v6() -> Vec<u8> {
    ipv6(6, &tcp(&[], b"six!!!"))
}

fn after(header: &[u8], content: &[u8]) -> Vec<u8> {
    [header, content].concat()
}

#[test]
fn ethernet_with_tags_and_what_comes_after_the_packet() {
    let tagged = |tags: &[u16], content: &[u8]| {
        let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        bytes.extend(tags.iter().flat_map(|half| half.to_be_bytes()));
        bytes.extend(content);
        bytes
    };
    let cases = [
        case("IPv4", ethernet(0x0800, &v4())),
        case("IPv6", ethernet(0x86dd, &v6())),
        case("not ARP", ethernet(0x0806, &[0; 28])),
        case("not LLDP", ethernet(0x88cc, &[0; 28])),
        case("IPv6 under the type of IPv4", ethernet(0x0800, &v6())),
        case("not IPv4 under the type of IPv6", ethernet(0x86dd, &v4())),
        case("padding", after(&ethernet(0x0800, &ipv4(6, &tcp(&[], b""))), &[0; 6])),
        case(
            "padding and checksum",
            after(&ethernet(0x0800, &ipv4(6, &tcp(&[], b""))), &[0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
        ),
        case("trailer after data", after(&plain(&[], &[7; 100]), b"trailer")),
        case("jumbo frame", plain(&[], &[7; 8960])),
        case("VLAN", tagged(&[0x8100, 5, 0x0800], &v4())),
        case("VLAN with IPv6", tagged(&[0x8100, 0xe005, 0x86dd], &v6())),
        case("priority tag", tagged(&[0x8100, 0xe000, 0x0800], &v4())),
        case("QinQ 88a8", tagged(&[0x88a8, 5, 0x8100, 6, 0x0800], &v4())),
        case("QinQ 9100", tagged(&[0x9100, 5, 0x8100, 6, 0x0800], &v4())),
        case("VLAN in VLAN", tagged(&[0x8100, 5, 0x8100, 6, 0x0800], &v4())),
        case("three tags", tagged(&[0x8100, 5, 0x8100, 6, 0x8100, 7, 0x86dd], &v6())),
        case("VLAN with padding", after(&tagged(&[0x8100, 5, 0x0800], &ipv4(6, &tcp(&[], b""))), &[0; 6])),
        case("VLAN with a length", tagged(&[0x8100, 5, 52, 0xaaaa, 0x0300, 0, 0x0800], &v4())),
        case("not a tag alone", tagged(&[0x8100, 5], &[])),
        case("not IPv4 cut off", ethernet(0x0800, &[])),
        case("not a header cut off", vec![2, 0, 0, 0, 0, 2, 2]),
        case("not an empty frame", Vec::new()),
        case("cut after the header", cut(plain(&[], &[1; 500]), 54)),
        case("not cut before the window", cut(plain(&[], &[1; 500]), 49)),
        case("not cut in the IP header", cut(plain(&[], &[1; 500]), 30)),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn ethernet_with_lengths() {
    let with_length = |length: usize, content: &[u8]| ethernet(u16::try_from(length).unwrap(), content);
    let snap = |organisation: [u8; 3], content: &[u8]| {
        let mut bytes = vec![0xaa, 0xaa, 3];
        bytes.extend(organisation);
        bytes.extend([8, 0]);
        bytes.extend(content);
        bytes
    };
    let whole = snap([0, 0, 0], &v4());
    let cases = [
        case("SNAP", with_length(whole.len(), &whole)),
        case("SNAP with padding", with_length(whole.len(), &after(&whole, &[0; 9]))),
        case("SNAP of a bridge", with_length(whole.len(), &snap([0, 0, 0xf8], &v4()))),
        case("not SNAP of another organisation", with_length(whole.len(), &snap([0, 0, 0x0c], &v4()))),
        case("IP by its LLC number", with_length(v4().len() + 3, &after(&[6, 6, 3], &v4()))),
        case("not spanning tree", with_length(38, &after(&[0x42, 0x42, 3], &[0; 35]))),
        case("not IPX without LLC", with_length(30, &[0xff; 30])),
        case("a length that is too long", with_length(1400, &whole)),
        case("not between lengths and types", ethernet(1501, &v4())),
        case("not just below the types", ethernet(1535, &v4())),
        case("not an unknown type", ethernet(1536, &v4())),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn mpls() {
    let labels = |labels: &[(u32, u8)], content: &[u8]| {
        let mut bytes = Vec::new();
        for (at, (label, traffic_class)) in labels.iter().enumerate() {
            let bottom = u32::from(at + 1 == labels.len());
            bytes.extend((label << 12 | u32::from(*traffic_class) << 9 | bottom << 8 | 64).to_be_bytes());
        }
        bytes.extend(content);
        bytes
    };
    let mut cases = vec![
        case("one label", ethernet(0x8847, &labels(&[(100, 0)], &v4()))),
        case("one label, IPv6", ethernet(0x8847, &labels(&[(100, 7)], &v6()))),
        case("three labels", ethernet(0x8847, &labels(&[(100, 0), (1_048_575, 1), (16, 2)], &v4()))),
        case("multicast", ethernet(0x8848, &labels(&[(100, 0)], &v4()))),
        case("not an end", ethernet(0x8847, &[0, 1, 0, 64, 0, 1, 0, 64])),
        case("not a label alone", ethernet(0x8847, &labels(&[(100, 0)], &[]))),
        case("an explicit null below a label", ethernet(0x8847, &labels(&[(100, 0), (0, 0)], &v4()))),
    ];
    // Reserved labels (RFC 3032 §2.1): after 13 and 14 (RFC 5586, RFC 3429) comes no packet.
    for label in 0..16 {
        let name = format!("{}label {label}", if matches!(label, 13 | 14) { "not " } else { "" });
        cases.push(case(name, ethernet(0x8847, &labels(&[(label, 0)], &v4()))));
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn ppp_over_ethernet() {
    let session = |length: usize, content: &[u8]| {
        let [l0, l1] = u16::try_from(length).unwrap().to_be_bytes();
        ethernet(0x8864, &after(&[0x11, 0, 0, 1, l0, l1], content))
    };
    let ppp = |protocol: &[u8], content: &[u8]| after(protocol, content);
    let (four, six) = (ppp(&[0, 0x21], &v4()), ppp(&[0, 0x57], &v6()));
    let cases = [
        case("IPv4", session(four.len(), &four)),
        case("IPv6", session(six.len(), &six)),
        case("short protocol", session(four.len() - 1, &four[1..])),
        case("padding", session(four.len(), &after(&four, &[0; 10]))),
        case("length too long", session(four.len() + 20, &four)),
        case("MPLS", session(48 + 6, &after(&[2, 0x81, 0, 0x06, 0x41, 64], &v4()))),
        case("not LCP", session(10, &[0xc0, 0x21, 9, 0, 0, 8, 0, 0, 0, 0])),
        case("not discovery", ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0])),
        case(
            "in a VLAN",
            after(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7], &session(four.len(), &four)[12..]),
        ),
        case("not PPP by its number in GRE", ethernet(0x880b, &four)),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
    let without_ethernet: Vec<Case> =
        cases[..8].iter().map(|(name, frame)| case(name.as_str(), frame.bytes[14..].to_vec())).collect();
    found_in_all_but_not(&without_ethernet[..7], &agree(51, &without_ethernet[..7], &[]));
}

#[test]
fn point_to_point() {
    let ppp = [
        case("address and control", after(&[0xff, 3, 0, 0x21], &v4())),
        case("address and control, IPv6", after(&[0xff, 3, 0, 0x57], &v6())),
        case("another control byte", after(&[0xff, 0x13, 0, 0x21], &v4())),
        case("without them", after(&[0, 0x21], &v4())),
        case("short protocol", after(&[0x21], &v4())),
        case("both short", after(&[0x57], &v6())),
        case("MPLS", after(&[0xff, 3, 2, 0x81, 0, 6, 0x41, 64], &v4())),
        case("not LCP", [0xff, 3, 0xc0, 0x21, 9, 0, 0, 8, 0, 0, 0, 0].to_vec()),
        case("not empty", Vec::new()),
        case("not one byte", vec![0xff]),
    ];
    for link in [9, 50] {
        found_in_all_but_not(&ppp, &agree(link, &ppp, &[]));
    }
    let hdlc = [
        case("unicast", after(&[0x0f, 0, 8, 0], &v4())),
        case("multicast", after(&[0x8f, 0, 0x86, 0xdd], &v6())),
        case("MPLS", after(&[0x0f, 0, 0x88, 0x47, 0, 6, 0x41, 64], &v4())),
        case("not keep-alive", after(&[0x8f, 0, 0x80, 0x35], &[0; 18])),
    ];
    for link in [50, 104] {
        found_in_all_but_not(&hdlc, &agree(link, &hdlc, &[]));
    }
}

#[test]
fn loopback_of_the_bsds() {
    let mut cases = Vec::new();
    for (family, content) in [(2, v4()), (24, v6()), (28, v6()), (30, v6())] {
        for (order, bytes) in [("little", u32::to_le_bytes(family)), ("big", u32::to_be_bytes(family))] {
            cases.push(case(format!("family {family}, {order}"), after(&bytes, &content)));
        }
    }
    cases.push(case("not IPX", after(&[23, 0, 0, 0], &[0xff; 30])));
    let ours = cases.clone();
    let both = [
        case("16 bits", after(&[2, 0, 0, 0], &v4())),
        case("16 bits, big, first", after(&[0, 2, 0, 0], &v4())),
        case("16 bits, behind", after(&[0, 0, 2, 0], &v4())),
        case("an Ethernet type", after(&[0, 8, 0, 0], &v4())),
        case("an Ethernet type, IPv6", after(&[0xdd, 0x86, 0, 0], &v6())),
        case("an Ethernet type and more", after(&[2, 0, 8, 0], &v4())),
        case("PPP", after(&[0xff, 3, 0, 0x21], &v4())),
        case("not cut", vec![2, 0, 0]),
        case("not ISO", after(&[7, 0, 0, 0], &v4())),
    ];
    let null: Vec<Case> = ours.iter().cloned().chain(both).collect();
    found_in_all_but_not(&null, &agree(0, &null, &[]));
    // OpenBSD's is in network order alone.
    let network: Vec<Case> = ours
        .into_iter()
        .map(|(name, frame)| (if name.contains("little") { format!("not {name}") } else { name }, frame))
        .collect();
    found_in_all_but_not(&network, &agree(108, &network, &[]));
}

#[test]
fn no_link_layer() {
    let both = [
        case("IPv4", v4()),
        case("IPv6", v6()),
        case("not IPv5", after(&[0x55], &v4()[1..])),
        case("not empty", Vec::new()),
        case("cut", cut(ipv4(6, &tcp(&[], &[0; 100])), 40)),
    ];
    for link in [12, 14, 101] {
        found_in_all_but_not(&both, &agree(link, &both, &[]));
    }
    found_in_all_but_not(&both[..1], &agree(228, &both[..1], &[]));
    found_in_all_but_not(&both[1..2], &agree(229, &both[1..2], &[]));
    let swapped = [case("IPv6 as IPv4", v6())];
    agree(228, &swapped, &[]);
    let swapped = [case("not IPv4 as IPv6", v4())];
    agree(229, &swapped, &[]);
}

/// Linux cooked capture of both versions: the same content behind two headers.
#[test]
fn linux_cooked() {
    const ETHERNET: u16 = 1;
    let llc = after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &v4());
    let contents: Vec<(&str, u16, u16, Vec<u8>)> = vec![
        ("IPv4", ETHERNET, 0x0800, v4()),
        ("IPv6", ETHERNET, 0x86dd, v6()),
        ("loopback device", 772, 0x0800, v4()),
        ("no hardware", 65534, 0x86dd, v6()),
        ("PPP device", 512, 0x0800, v4()),
        ("VLAN", ETHERNET, 0x8100, after(&[0, 5, 8, 0], &v4())),
        ("QinQ", ETHERNET, 0x88a8, after(&[0, 5, 0x81, 0, 0, 6, 8, 0], &v4())),
        ("MPLS", ETHERNET, 0x8847, after(&[0, 6, 0x41, 64], &v4())),
        ("PPPoE", ETHERNET, 0x8864, after(&[0x11, 0, 0, 1, 0, 46, 0, 0x21], &v4())),
        ("not ARP", ETHERNET, 0x0806, vec![0; 28]),
        ("LLC", ETHERNET, 4, llc),
        ("not IPX", ETHERNET, 1, vec![0xff; 30]),
        ("Ethernet in it", ETHERNET, 3, ethernet(0x0800, &v4())),
        ("not netlink", 824, 0, vec![0; 40]),
        ("not CAN", 280, 12, vec![0; 16]),
        ("padding", ETHERNET, 0x0800, after(&v4(), &[0; 6])),
    ];
    let one = |hardware: u16, protocol: u16, content: &[u8]| {
        let mut bytes = vec![0, 4];
        bytes.extend(hardware.to_be_bytes());
        bytes.extend([0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        bytes.extend(protocol.to_be_bytes());
        bytes.extend(content);
        bytes
    };
    let two = |hardware: u16, protocol: u16, content: &[u8]| {
        let mut bytes = protocol.to_be_bytes().to_vec();
        bytes.extend([0, 0, 0, 0, 0, 3]);
        bytes.extend(hardware.to_be_bytes());
        bytes.extend([4, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        bytes.extend(content);
        bytes
    };
    let cooked = |header: fn(u16, u16, &[u8]) -> Vec<u8>| -> Vec<Case> {
        let mut cases: Vec<Case> = contents
            .iter()
            .map(|(name, hardware, protocol, content)| case(*name, header(*hardware, *protocol, content)))
            .collect();
        cases.push(case("not cut", Frame::from(vec![0, 4, 0, 1])));
        cases
    };
    let (first, second) = (cooked(one), cooked(two));
    found_in_all_but_not(&first, &agree(113, &first, &[]));
    found_in_all_but_not(&second, &agree(276, &second, &[]));
}
