#!/usr/bin/env python3
"""Writes what fuzzing starts from: corpus/{file,link,ip,tcp,mptcp}, made of the captures in ../examples, and
corpus/{data,tracker,options}, kept in seeds as one seed a line, in base64.

The example captures are pcapng, little-endian, of Ethernet frames.
"""

import base64
import gzip
import shutil
import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
# As in fuzz_targets/link.rs: which link type, and the header that it has instead of Ethernet's 14 bytes.
LINKS = [
    (0, None), (1, b"\x02\0\0\0"), (2, b"\0\0\0\x02"), (3, b"\xff\x03\0\x21"), (6, b"\x0f\0\x08\0"),
    (5, b"\x11\0\0\1\5\xdc\0\x21"), (8, b""), (11, b"\0\4\0\1\0\6" + bytes(8) + b"\x08\0"),
    (12, b"\x08\0" + bytes(6) + b"\0\1\0\6" + bytes(8)),
]


def blocks(content):
    """Blocks of a pcapng file."""
    at = 0
    while at + 12 <= len(content):
        kind, length = struct.unpack_from("<II", content, at)
        yield kind, content[at:at + length]
        at += length


def packets(content):
    """Frames in enhanced packet blocks."""
    for kind, block in blocks(content):
        if kind == 6:
            yield block[28:28 + struct.unpack_from("<I", block, 20)[0]]


def pcap(order, magic, frames):
    """A pcap file."""
    file = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)
    for number, frame in enumerate(frames):
        file += struct.pack(order + "IIII", 1700000000 + number, 1, len(frame), len(frame)) + frame
    return file


def main():
    """Writes the corpus."""
    seeds = {name: [] for name in ["file", "link", "ip", "tcp", "mptcp"]}
    seen = set()
    for path in sorted((HERE / "../examples").glob("*.pcapng")):
        whole = path.read_bytes()
        start, taken = b"", []
        for kind, block in blocks(whole):
            if len(start) < 12000:
                start += block
        seeds["file"].append(start)
        for frame in packets(whole):
            if frame[12:14] != b"\x08\0" or frame[23] != 6:
                continue
            ip = frame[14:]
            header = (ip[0] & 15) * 4
            tcp = ip[header:][:140]
            options = tcp[20:(tcp[12] >> 4) * 4]
            # One packet of each kind: the flags, and the kinds, lengths and subtypes of options.
            kind, at = [tcp[13]], 0
            mptcp = b""
            while at < len(options):
                length = 1 if options[at] < 2 else options[at + 1]
                kind += [options[at], length] + ([options[at + 2] >> 4] if options[at] == 30 else [])
                if options[at] == 30:
                    mptcp += bytes([length - 2]) + options[at + 2:at + length]
                at += length
            if tuple(kind) in seen:
                continue
            seen.add(tuple(kind))
            taken.append(frame[:160])
            seeds["tcp"].append(b"\xff" + tcp)
            seeds["ip"].append(b"\xff" + ip[:160])
            if mptcp:
                seeds["mptcp"].append(bytes([0xff, tcp[13]]) + mptcp)
            for link, replaced in LINKS:
                frame_there = frame if replaced is None else replaced + ip
                seeds["link"].append(bytes([link, 0xff]) + frame_there[:160])
        small = pcap("<", 0xA1B2C3D4, taken)
        seeds["file"] += [small, pcap(">", 0xA1B2C3D4, taken), pcap("<", 0xA1B23C4D, taken), gzip.compress(small)]
        for program in ["zstd", "lz4"]:
            if shutil.which(program):
                packed = subprocess.run([program, "-c"], input=small, stdout=subprocess.PIPE, check=True)
                seeds["file"].append(packed.stdout)
    for path in sorted((HERE / "seeds").glob("*.txt")):
        seeds[path.stem] = [base64.b64decode(line) for line in path.read_text().splitlines()]
    for name, contents in seeds.items():
        folder = HERE / "corpus" / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / f"seed{number:03}").write_bytes(content)
        print(f"{name}: {len(contents)} files")


if __name__ == "__main__":
    main()
