#!/usr/bin/env python3
"""A plot of mptcpanalyzer: what share of each subflow's packets carries at most so much payload.

Packets are read with polars or pyarrow where one of them is installed, and with the standard library otherwise.
"""

import collections
import csv
import json
import sys


def read_packets(files):
    """Rows of (seconds, stream, role towards, payload) with the quickest reader that is installed."""
    try:
        import polars

        table = polars.read_ipc(files["arrow"])
        seconds = table["reltime"].dt.total_nanoseconds() / 1e9
        return zip(seconds, table["tcpstream"], table["mptcpdest"], table["tcplen"])
    except ImportError:
        pass
    try:
        import pyarrow.feather

        table = pyarrow.feather.read_table(files["arrow"], memory_map=False)
        nanoseconds = table["reltime"].cast("int64").to_pylist()
        columns = [table[name].to_pylist() for name in ("tcpstream", "mptcpdest", "tcplen")]
        return zip((span / 1e9 for span in nanoseconds), *columns)
    except ImportError:
        return read_csv(files["csv"])


def read_csv(path):
    with open(path, newline="") as packets:
        for row in csv.DictReader(packets):
            yield float(row["reltime"]), int(row["tcpstream"]), row["mptcpdest"], int(row["tcplen"])


def wanted(selection, seconds, stream, towards):
    """Whether the options that all plots have leave this packet in."""
    start, end = selection["start"], selection["end"]
    return (
        selection["towards"] in (None, towards)
        and (not selection["subflows"] or stream in selection["subflows"])
        and stream not in selection["skip_subflows"]
        and (start is None or seconds >= start)
        and (end is None or seconds <= end)
    )


def count_sizes(request):
    """How many packets of each size every (role, stream) has."""
    counts = collections.defaultdict(collections.Counter)
    for seconds, stream, towards, payload in read_packets(request["capture"]["packets"]):
        if wanted(request["selection"], seconds, stream, towards):
            counts[towards, stream][payload] += 1
    return counts


def shares(sizes):
    """The points of a curve that rises from 0 to 1 in steps."""
    total, so_far = sum(sizes.values()), 0
    points = [[0, 0]]
    for size in sorted(sizes):
        so_far += sizes[size]
        points.append([size, so_far / total])
    return points


def panel(towards, counts):
    # Places are counted over both directions, so that a subflow keeps its colour.
    streams = sorted({stream for _, stream in counts})
    return {
        "title": f"towards the {towards}",
        "x": {"label": "payload of a packet", "unit": "bytes"},
        "y": {"label": "packets up to it", "unit": "share", "range": [0, 1]},
        "series": [
            {
                "name": f"subflow {stream}, packets: {sum(counts[towards, stream].values())}",
                "role": {"kind": "subflow", "subflow": place},
                "marks": {"steps": shares(counts[towards, stream])},
            }
            for place, stream in enumerate(streams)
            if (towards, stream) in counts
        ],
    }


def answer(request):
    number = request["arguments"]["mptcpstream"]
    counts = count_sizes(request)
    if not counts:
        return {"error": f"connection {number} has no packet with data among those asked for: ask for more"}
    roles = [role for role in ("server", "client") if any(role == towards for towards, _ in counts)]
    return {
        "figure": {
            "title": f"Sizes of the packets of MPTCP connection {number}",
            "panels": [panel(role, counts) for role in roles],
        }
    }


def main():
    json.loads(sys.stdin.readline())
    print(json.dumps({"hello": {"protocol": 1, "version": "1.0.0", "features": []}}), flush=True)
    line = sys.stdin.readline()
    if line:
        print(json.dumps(answer(json.loads(line))))


if __name__ == "__main__":
    main()
