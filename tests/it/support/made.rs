//! Captures made by hand, byte by byte.

/// A pcapng block of this type in little-endian order.
pub fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

/// A pcapng section header of unknown length.
pub fn section_header() -> Vec<u8> {
    let mut body = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
    body.extend((-1_i64).to_le_bytes());
    block(0x0a0d_0d0a, &body)
}

/// A pcapng description of an Ethernet interface with this name.
pub fn interface(name: &str) -> Vec<u8> {
    let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0, 2, 0];
    body.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    body.extend(name.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0; 4]);
    block(1, &body)
}

/// A pcapng packet on interface 0.
pub fn enhanced_packet(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let mut body = vec![0; 12];
    body.extend([length, length].concat());
    body.extend(data);
    block(6, &body)
}

/// A big-endian pcap file of Ethernet frames.
pub fn pcap(frames: &[&[u8]]) -> Vec<u8> {
    let mut file = vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 1];
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        file.extend([[0, 0, 0, 1], [0, 0, 0, 2], length, length].concat());
        file.extend(*frame);
    }
    file
}

/// An Ethernet frame with an IPv4 packet of this protocol, from 192.0.2.`from` to 192.0.2.`to`.
fn ipv4(protocol: u8, from: u8, to: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let length = u16::try_from(content.len() + 20).unwrap().to_be_bytes();
    frame.extend([0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, from, 192, 0, 2, to]);
    frame.extend(content);
    frame
}

/// A UDP datagram of four bytes.
pub fn udp() -> Vec<u8> {
    ipv4(17, 1, 2, &[0x30, 0x39, 0x03, 0xe7, 0, 12, 0, 0, 1, 2, 3, 4])
}

/// The SYN of an MPTCP v1 connection, from port 12345 to port 80.
pub fn mptcp_syn() -> Vec<u8> {
    let mut tcp = vec![0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0];
    // MP_CAPABLE, version 1, HMAC-SHA256, without a key.
    tcp.extend([30, 4, 0x01, 0x01]);
    ipv4(6, 1, 2, &tcp)
}

/// The SYN/ACK to it, with the server's key.
pub fn mptcp_syn_ack() -> Vec<u8> {
    let mut tcp = vec![0, 80, 0x30, 0x39, 0, 0, 0, 9, 0, 0, 0, 2, 0x80, 0x12, 0xff, 0xff, 0, 0, 0, 0];
    tcp.extend([30, 12, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]);
    ipv4(6, 2, 1, &tcp)
}
