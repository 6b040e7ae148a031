#!/usr/bin/env python3
"""Answers one request of mptcpanalyzer; the protocol is in docs/plugins.md."""

import csv
import json
import sys


def answer(request):
    """The answer: one of {"text"}, {"table"}, {"figure"}, {"error"}."""
    sums = {}
    with open(request["capture"]["packets"]["csv"], newline="") as packets:
        for packet in csv.DictReader(packets):
            key = (int(packet["tcpstream"]), packet["tcpdest"])
            sums[key] = sums.get(key, 0) + int(packet["tcplen"])
    return {
        "table": {
            "columns": ["tcpstream", "towards", {"name": "payload_bytes", "heading": "payload", "unit": "bytes"}],
            "rows": [[stream, towards, size] for (stream, towards), size in sorted(sums.items())],
        }
    }


def main():
    json.loads(sys.stdin.readline())  # {"hello": …}: the program and its version
    print(json.dumps({"hello": {"protocol": 1, "version": "0.1.0", "features": []}}), flush=True)
    line = sys.stdin.readline()
    if line:  # nothing follows if only the handshake was wanted
        print(json.dumps(answer(json.loads(line))))


main()
