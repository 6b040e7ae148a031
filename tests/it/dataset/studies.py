"""The numbers and series of studies, computed again from the Parquet files with pandas and NumPy.

Usage: studies.py DATASET FOLDER. FOLDER has NAME.numbers.json and NAME.values.json of each study, as the program printed
them. Differences are printed; the exit code is 1 if there are any.
"""

import glob
import json
import math
import os
import sys

import numpy as np
import pandas as pd

DATASET, FOLDER = sys.argv[1:3]


def table(name):
    files = sorted(glob.glob(f"{DATASET}/{name}/*.parquet"))
    frames = [frame for frame in map(pd.read_parquet, files) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.read_parquet(files[0])


KEY = ["capture", "mptcpstream"]
FLOW = KEY + ["tcpstream"]
DIRECTIONS = {"server": "to server", "client": "to client"}
PERCENTILES = {"p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99, "max": 100}


class Found:
    """What the computation found: numbers by group and quantity, series by panel and name;
    those without an order are compared in order of their values, of those in `last` only the last point of equal x."""

    def __init__(self):
        self.numbers, self.series, self.unordered, self.last = {}, {}, {}, {}

    def number(self, group, quantity, value):
        self.numbers[group or None, quantity] = value

    def share(self, group, quantity, mask):
        mask = np.asarray(mask, dtype=bool)
        self.number(group, quantity, mask.mean() if len(mask) else None)

    def limits(self, group, what, values, most={}, least={}):
        values = np.asarray(values, dtype=float)
        for shown, limit in most.items():
            self.share(group, f"{what} at most {shown}", values <= limit)
        for shown, limit in least.items():
            self.share(group, f"{what} at least {shown}", values >= limit)

    def distribution(self, group, what, values):
        values = np.asarray(values, dtype=float)
        some = len(values) > 0
        self.number(group, f"{what}: values", len(values))
        self.number(group, f"{what}: mean", np.mean(values) if some else None)
        self.number(group, f"{what}: standard deviation", np.std(values, ddof=1) if len(values) > 1 else None)
        self.number(group, f"{what}: min", np.min(values) if some else None)
        for name, percent in PERCENTILES.items():
            self.number(group, f"{what}: {name}", np.percentile(values, percent) if some else None)

    def cdf(self, panel, name, values, log=True, kind="at most"):
        """The steps: at each distinct value the share of values (or of their sum) at most, or above it."""
        values = np.sort(np.asarray(values, dtype=float))
        if not len(values):
            return
        xs, counts = np.unique(values, return_counts=True)
        if kind == "of sum":
            if values.sum() <= 0:
                return
            ys, start = np.cumsum(xs * counts) / values.sum(), 0.0
        else:
            ys, start = np.cumsum(counts) / len(values), 0.0
            if kind == "more than":
                ys, start = 1 - ys, 1.0
        points = [(xs[0], start), *zip(xs, ys)]
        self.series[panel, name] = [(x, y) for x, y in points if x > 0 or not log]

    def bars(self, panel, name, heights):
        self.series[panel, name] = list(enumerate(heights))

    def boxes(self, panel, groups):
        """Quartiles of each group that has values; places count all groups."""
        found, half = [], {1: 0.08, 2: 0.16, 3: 0.24}.get(len(groups), 0.32)
        for place, values in enumerate(groups):
            if len(values):
                low, high = np.percentile(values, [25, 75])
                found.append((place - half, low, place + half, high))
        if found:
            self.series[panel, "quartiles"] = found


def named(group, part):
    return ", ".join(word for word in (group, part) if word)


captures, handshakes, connections = table("captures"), table("handshakes"), table("connections")
directions, subflows, flows = table("directions"), table("subflows"), table("subflow_directions")
bursts = table("bursts")
STUDIES = {}


def study(function):
    STUDIES[function.__name__] = function
    return function


@study
def subflow_counts(found):
    for panel, (column, what, least) in enumerate([("subflows", "subflows", 1), ("subflows_used", "used subflows", 0)], 1):
        counts = connections[column].to_numpy()
        found.number("", "connections", len(counts))
        heights = []
        for n in range(least, 11):
            found.share("", f"{what}: {n}", counts == n)
            heights.append((counts == n).mean())
        found.share("", f"{what}: more than 10", counts > 10)
        heights.append((counts > 10).mean())
        found.share("", f"{what}: at least 2", counts >= 2)
        found.number("", f"{what}: most", counts.max())
        assert abs(sum(heights) - 1) < 1e-9
        found.bars(panel, "", heights)


@study
def durations(found):
    values = connections.duration_s.dropna()
    most = {"0 s": 0, "1 s": 1, "10 s": 10}
    found.limits("", "duration", values, most, {"100 s": 100, "1 day": 86400})
    found.distribution("", "duration", values)
    of_subflows = subflows.duration_s.dropna()
    found.distribution("", "duration of subflows", of_subflows)
    found.cdf(1, "", values)
    edges = np.logspace(-3, 5, 81)
    counts, _ = np.histogram(of_subflows, edges)
    found.series[2, ""] = [(low, count) for low, count in zip(edges, counts) if count]


@study
def sizes(found):
    wide = directions.pivot_table(index=KEY, columns="towards", values="goodput_bytes", aggfunc="sum")
    wide = wide.reindex(pd.MultiIndex.from_frame(connections[KEY])).fillna(0)
    lines = {"both directions": wide.server + wide.client, "to server": wide.server, "to client": wide.client}
    limits = {"0 B": 0, "1 kB": 1e3, "2 kB": 2e3, "5 kB": 5e3, "10 kB": 1e4, "100 kB": 1e5, "1 MB": 1e6}
    for name, values in lines.items():
        found.limits(name, "size", values, limits)
        found.share(name, "size of 9 to 11 B", (values >= 9) & (values <= 11))
        found.distribution(name, "size", values)
        found.number(name, "size: total", values.sum())
        found.cdf(1, name, values)
    packets = flows.groupby(KEY).data_packets.sum()
    found.limits("", "packets with payload", packets, {str(n): n for n in (2, 3, 5, 10)})


@study
def join_delay(found):
    initial = subflows[subflows.kind == "initial"].set_index(KEY).start_after_s
    joins = subflows[subflows.kind == "join"]
    found.share("", "joins that were not established", joins.established_after_s.isna())
    joins = joins[joins.established_after_s.notna()].join(initial.rename("begun"), on=KEY, how="inner")
    delay = joins.start_after_s - joins.begun
    assert (delay > 0).all(), "a join came before its connection"
    for name, values in {"all joins": delay, "first join": delay.groupby([joins[key] for key in KEY]).min()}.items():
        most = {"0.2 s": 0.2, "1 s": 1, "5 s": 5, "15 s": 15}
        found.limits(name, "join delay", values, most, {"60 s": 60, "1 hour": 3600})
        found.distribution(name, "join delay", values)
        found.cdf(1, name, values)


@study
def rtt_differences(found):
    rows = flows[flows.rtt_tcp_samples >= 3].merge(subflows[FLOW + ["ordinal"]], on=FLOW)
    bytes_of = flows.groupby(KEY + ["towards"]).goodput_bytes.sum()
    for towards, name in DIRECTIONS.items():
        own = rows[rows.towards == towards].sort_values("ordinal")
        grouped = own.groupby(KEY).rtt_tcp_mean_s
        several = grouped.count() >= 2
        spread = (grouped.max() - grouped.min())[several]
        found.limits(name, "difference", spread, {"10 ms": 0.01, "100 ms": 0.1}, {"1 s": 1})
        found.distribution(name, "difference", spread)
        found.cdf(1, name, spread)
        leads = []
        for key, group in own.groupby(KEY):
            if len(group) >= 2 and group.ordinal.iloc[0] == 0 and bytes_of[(*key, towards)] >= 1000:
                leads.append(group.rtt_tcp_mean_s.iloc[0] - group.rtt_tcp_mean_s.iloc[1])
        found.share(name, "initial subflow faster than the next", np.array(leads) < 0)
        found.distribution(name, "initial - next", leads)
        found.cdf(2, name, leads, log=False)


@study
def rtts(found):
    rows = flows[(flows.rtt_tcp_samples >= 5) & (flows.goodput_bytes >= 100) & flows.mptcpstream.notna()]
    for towards, name in DIRECTIONS.items():
        means = rows[rows.towards == towards].rtt_tcp_mean_s
        found.distribution(name, "mean round trip time", means)
        found.cdf(1, name, means)
    parts = {"smallest": rows.rtt_tcp_min_s, "mean": rows.rtt_tcp_mean_s, "largest": rows.rtt_tcp_max_s}
    parts["largest - smallest"] = rows.rtt_tcp_max_s - rows.rtt_tcp_min_s
    for name, values in parts.items():
        found.distribution(name, "round trip time", values)
        found.cdf(2, name, values)


@study
def initial_share(found):
    rows = flows.merge(subflows[FLOW + ["ordinal", "kind"]], on=FLOW)
    count = subflows.groupby(KEY).size()
    all_bytes = rows.groupby(KEY).goodput_bytes.sum()
    first = rows[rows.kind == "initial"].groupby(KEY).goodput_bytes.sum()
    two = rows[(rows.kind == "initial") | (rows.ordinal <= 1)].groupby(KEY).goodput_bytes.sum()
    keep = first.index[(count[first.index] >= 2) & (all_bytes[first.index] > 0)]
    for name, part in {"initial subflow": first, "first two subflows": two}.items():
        share = part[keep] / all_bytes[keep]
        found.limits(name, "share", share, {"0 %": 0, "50 %": 0.5, "90 %": 0.9}, {"100 %": 1})
        found.distribution(name, "share", share)
        found.cdf(1, name, share, log=False)
    found.number("initial subflow", "bytes", first[keep].sum())
    found.number("all subflows", "bytes", all_bytes[keep].sum())
    others = rows[rows.kind != "initial"].groupby(KEY).goodput_bytes.sum().reindex(keep).fillna(0)
    assert (first[keep] + others == all_bytes[keep]).all(), "initial and others are not all"


@study
def unused_subflows(found):
    sums = flows.groupby(FLOW).agg(
        bytes=("goodput_bytes", "sum"), resets=("resets", "sum"), first=("first_s", "min"), last=("last_s", "max")
    )
    rows = subflows.join(sums, on=FLOW)
    rows["last_data"] = flows.groupby(KEY).last_data_s.max().reindex(pd.MultiIndex.from_frame(rows[KEY])).to_numpy()
    rows["fastest"] = rows.handshake_rtt_s == rows.groupby(KEY).handshake_rtt_s.transform("min")
    rows = rows[rows.groupby(KEY).tcpstream.transform("size") >= 2]
    unused, join, reset = rows.bytes.fillna(0) == 0, rows.kind == "join", rows.resets > 0
    classes = {
        "unused": unused,
        "unused joins": unused & join,
        "reset": unused & reset,
        "reset, short joins": unused & reset & join & (rows["last"] - rows["first"] <= 1),
        "backup": unused & rows.backup.fillna(False).astype(bool),
        "late": unused & (rows["first"] > rows.last_data),
        "fastest": unused & rows.fastest,
    }
    found.number("", "subflows of connections with several", len(rows))
    for name, mask in classes.items():
        found.share("", name, mask)
    found.bars(1, "", [mask.mean() for mask in classes.values()])


@study
def overheads(found):
    rows = directions.merge(connections[KEY + ["subflows_used", "subflows"]], on=KEY)
    rows = rows[(rows.subflows_used >= 1) & (rows.goodput_bytes > 0)]
    for panel, (towards, direction) in enumerate(DIRECTIONS.items(), 1):
        own = rows[rows.towards == towards]
        for name, column in {"retransmitted": "retransmitted_bytes", "reinjected": "reinjected_bytes"}.items():
            share = own[column] / own.goodput_bytes
            if name == "reinjected":
                assert (share <= own.subflows - 1).all() and (share >= 0).all(), "more reinjected than subflows could"
            found.limits(name, f"{direction}: share", share, {"0 %": 0, "1 %": 0.01, "10 %": 0.1})
            found.distribution(name, f"{direction}: share", share)
            found.number(name, f"{direction}: total bytes", own[column].sum())
            found.cdf(panel, name, share)
        found.number("goodput", f"{direction}: total bytes", own.goodput_bytes.sum())


@study
def overhead_boxes(found):
    sums = flows.groupby(KEY + ["towards"]).agg(again=("retransmitted_packets", "sum"), sent=("data_packets", "sum"))
    rows = directions.join(sums, on=KEY + ["towards"]).merge(connections[KEY + ["capture_point"]], on=KEY)
    rows = rows[rows.goodput_bytes > 0]
    rows["group"] = rows.capture_point.fillna("(none)")
    what = {
        "retransmitted / goodput": rows.retransmitted_bytes / rows.goodput_bytes,
        "reinjected / goodput": rows.reinjected_bytes / rows.goodput_bytes,
        "packets retransmitted": rows.again / rows.sent,
        "packets reinjected": rows.reinjected_packets / rows.sent,
    }
    groups = sorted(connections.capture_point.fillna("(none)").unique())
    for panel, (name, values) in enumerate(what.items(), 1):
        for group in groups:
            found.distribution(group, name, values[rows.group == group])
        found.boxes(panel, [values[rows.group == group] for group in groups])


@study
def switching(found):
    sent = flows.groupby(KEY + ["towards"]).data_packets.sum().rename("sent")
    rows = directions.join(sent, on=KEY + ["towards"]).merge(connections[KEY + ["subflows_used"]], on=KEY)
    rows = rows[(rows.subflows_used >= 2) & (rows.goodput_bytes >= 10000) & (rows.duration_s > 0.1) & (rows.bursts > 0)]
    for towards, name in DIRECTIONS.items():
        own = rows[rows.towards == towards]
        switches = own.bursts - 1
        values = {
            "switches per second": switches / own.duration_s,
            "switches per MB": switches / (own.goodput_bytes / 1e6),
            "packets per burst": own.sent / own.bursts,
        }
        for panel, (what, value) in enumerate(values.items(), 1):
            found.distribution(name, what, value)
            found.cdf(panel, name, value)
        found.cdf(4, name, values["packets per burst"], kind="more than")


SIZES = {"< 10 kB": (0, 1e4), "10 to 100 kB": (1e4, 1e5), "100 kB to 1 MB": (1e5, 1e6), ">= 1 MB": (1e6, np.inf)}


@study
def burst_counts(found):
    rows = directions.merge(connections[KEY + ["subflows", "duration_s"]], on=KEY, suffixes=("_d", ""))
    rows = rows[(rows.subflows >= 2) & (rows.duration_s >= 0.001) & (rows.bursts >= 1)]
    found.limits("", "bursts", rows.bursts, least={"2": 2, "100": 100})
    found.distribution("", "bursts", rows.bursts)
    for name, (low, high) in SIZES.items():
        own = rows[(rows.goodput_bytes >= low) & (rows.goodput_bytes < high)].bursts
        found.distribution(name, "bursts", own)
        found.cdf(2, name, own)
    found.unordered[1, ""] = list(zip(rows.duration_s, rows.bursts))


@study
def burst_sizes(found):
    rows = bursts.merge(connections[KEY + ["subflows_used"]], on=KEY)
    rows = rows[rows.subflows_used >= 2]
    for towards, name in DIRECTIONS.items():
        own = rows[rows.towards == towards]
        found.distribution(name, "bytes per burst", own.bytes)
        found.distribution(name, "packets per burst", own.packets)
        found.cdf(1, name, own.bytes)
        found.cdf(2, name, own.packets)


@study
def burst_positions(found):
    ends = flows.groupby(KEY).agg(first=("first_s", "min"), last=("last_s", "max"))
    rows = bursts.merge(directions[KEY + ["towards", "goodput_bytes"]], on=KEY + ["towards"]).join(ends, on=KEY)
    rows = rows.merge(connections[KEY + ["subflows"]], on=KEY)
    of = rows.groupby(KEY + ["towards"])
    rows["all_bytes"], rows["all_packets"] = of.bytes.transform("sum"), of.packets.transform("sum")
    rows["duration"] = rows["last"] - rows["first"]
    rows = rows[(rows.subflows >= 2) & (rows.duration >= 0.001)]
    values = {
        "start of the burst / duration": (rows.reltime_s - rows["first"]) / rows.duration,
        "bytes of the burst / bytes": rows.bytes / rows.all_bytes,
        "packets of the burst / packets": rows.packets / rows.all_packets,
    }
    assert (values["start of the burst / duration"].between(0, 1)).all()
    for name, (low, high) in SIZES.items():
        own = (rows.goodput_bytes >= low) & (rows.goodput_bytes < high)
        found.limits(name, "share of the packets", values["packets of the burst / packets"][own], least={"99 %": 0.99})
        for panel, (what, value) in enumerate(values.items(), 1):
            found.distribution(name, what, value[own])
            found.cdf(panel, name, value[own], log=False)


@study
def adoption(found):
    for panel, (kind, asked) in enumerate([("connections asked for", "capable"), ("joins asked for", "join")], 1):
        outcomes = handshakes[handshakes.asked == asked].outcome
        found.number("", kind, len(outcomes))
        names = sorted(outcomes.unique())
        for name in names:
            found.share("", f"{kind}: {name}", outcomes == name)
        found.bars(panel, "", [(outcomes == name).mean() for name in names])
    both = handshakes[handshakes.version.notna() & handshakes.answered_version.notna()]
    found.share("", "answered with a lower version", both.answered_version < both.version)
    found.limits("", "SYNs of an attempt", handshakes.syns.fillna(1), least={"2": 2})
    found.distribution("", "SYN to SYN/ACK", handshakes.syn_ack_after_s.dropna())


@study
def traffic_share(found):
    rows = captures[captures.tcp_packets.fillna(0) > 0]
    share = rows.mptcp_packets.fillna(0) / rows.tcp_packets
    found.distribution("", "share of packets", share)
    found.cdf(1, "", share, log=False)
    for name in ["tcp_packets", "mptcp_packets", "tcp_streams", "mptcp_connections"]:
        found.number("", name, captures[name].fillna(0).sum())
    found.number("", "mptcp_packets / tcp_packets", captures.mptcp_packets.sum() / captures.tcp_packets.sum())


@study
def totals(found):
    several, used = connections.subflows >= 2, connections.subflows_used >= 2
    tiers = {"T0 (all)": several | True, "T1 (2 subflows)": several, "T2 (2 used)": several & used}
    previous = None
    for name, mask in tiers.items():
        own = connections[mask]
        keys = set(map(tuple, own[KEY].to_numpy()))
        assert previous is None or keys <= previous, "T2 within T1 within T0"
        previous = keys
        found.number(name, "connections", len(own))
        rows = directions.merge(own[KEY], on=KEY)
        for towards, direction in DIRECTIONS.items():
            sums = rows[rows.towards == towards]
            found.number(name, f"packets {direction}", sums.packets.sum())
            found.number(name, f"goodput {direction}", sums.goodput_bytes.sum())
            found.number(name, f"payload {direction}", sums.throughput_bytes.sum())
    found.bars(1, "", [mask.sum() for mask in tiers.values()])


def with_paths(column):
    """Directions of subflows with the path of each, and the goodput of each connection by path."""
    rows = flows.merge(subflows[FLOW + [column]].fillna({column: "?"}), on=FLOW)
    wide = rows.pivot_table(index=KEY, columns=column, values="goodput_bytes", aggfunc="sum")
    return rows, wide.reindex(pd.MultiIndex.from_frame(connections[KEY])).fillna(0)


@study
def path_shares(found):
    _, wide = with_paths("kind")
    whole = wide.sum(axis=1)
    share = wide["join"][whole >= 1] / whole[whole >= 1]
    found.limits("", "share", share, {"0 %": 0}, {"100 %": 1})
    found.distribution("", "share", share)
    found.boxes(1, [share])
    counts, edges = np.histogram(share, np.linspace(0, 1, 51))
    found.series[2, ""] = [(low, count) for low, count in zip(edges, counts) if count]
    found.unordered[3, ""] = list(zip(whole[whole >= 1], share))


@study
def path_bytes(found):
    _, wide = with_paths("kind")
    one, other = wide["initial"], wide["join"]
    found.share("", "data on neither", (one == 0) & (other == 0))
    found.share("", "data on initial alone", (one > 0) & (other == 0))
    found.share("", "data on join alone", (one == 0) & (other > 0))
    found.share("", "data on both", (one > 0) & (other > 0))
    kinds = sorted(subflows.kind.fillna("?").unique())
    for name in kinds:
        values = wide[name] if name in wide else pd.Series(0.0, index=wide.index)
        found.distribution(name, "bytes", values)
        found.number(name, "bytes: total", values.sum())
    both = (one > 0) & (other > 0)
    found.unordered[1, ""] = list(zip(one[both], other[both]))
    found.bars(2, "mean", [wide[name].mean() if name in wide else 0 for name in kinds])


@study
def path_rtts(found):
    rows, wide = with_paths("kind")
    whole = wide.sum(axis=1)
    share = (wide["join"] / whole)[whole > 0]
    rtt = rows[rows.kind == "initial"].groupby(KEY).rtt_tcp_max_s.max().dropna()
    both = pd.concat([rtt.rename("rtt"), share.rename("share")], axis=1, join="inner")
    found.distribution("", "largest round trip time", both.rtt)
    found.distribution("", "share", both.share)
    found.number("", "correlation", np.corrcoef(both.rtt, both.share)[0, 1])
    found.unordered[1, ""] = list(zip(both.rtt, both.share))


def connection_sizes():
    sizes = directions.groupby(KEY).goodput_bytes.sum().rename("size")
    return connections.join(sizes, on=KEY)


@study
def duration_bytes(found):
    rows = connection_sizes()
    found.number("", "connections", len(rows))
    found.share("", "duration of 0 s", rows.duration_s == 0)
    found.share("", "goodput of 0 B", rows["size"] == 0)
    placed = rows[(rows.duration_s > 0) & (rows["size"] > 0)]
    found.unordered[1, ""] = list(zip(placed.duration_s, placed["size"]))


@study
def rtt_bytes(found):
    rows = flows[(flows.rtt_tcp_samples >= 5) & flows.mptcpstream.notna()]
    found.number("", "subflows and directions", len(rows))
    placed = rows[(rows.rtt_tcp_mean_s > 0) & (rows.goodput_bytes > 0)]
    found.unordered[1, ""] = list(zip(placed.rtt_tcp_mean_s, placed.goodput_bytes))


@study
def completions(found):
    rows = connection_sizes()
    rows = rows[(rows["size"] >= 1000) & (rows["size"] <= 80e6) & (rows.duration_s > 0)]
    found.distribution("", "duration", rows.duration_s)
    found.distribution("", "rate", rows["size"] / rows.duration_s)
    found.boxes(1, [rows.duration_s])
    found.boxes(2, [rows["size"] / rows.duration_s])


@study
def averages(found):
    rows = connections.merge(captures[["capture", "label_app"]], on="capture", suffixes=("", "_c"))
    rows["group"] = rows.label_app.fillna("(none)")
    groups = sorted(rows.group.unique())
    sums = flows.groupby(KEY).agg(again=("retransmitted_packets", "sum"), rtt=("rtt_tcp_mean_s", "mean"))
    values = {"connections per capture": rows.groupby(["group", "capture"]).size().reset_index("group")}
    values["connections per capture"].columns = ["group", "value"]
    for what, column in {"retransmitted packets": "again", "round trip time": "rtt"}.items():
        values[what] = rows.join(sums, on=KEY)[["group", column]].set_axis(["group", "value"], axis=1)
    values["duration"] = rows[["group", "duration_s"]].set_axis(["group", "value"], axis=1)
    for towards, direction in DIRECTIONS.items():
        own = rows[KEY + ["group"]].merge(directions[directions.towards == towards], on=KEY)
        values[f"goodput {direction}"] = own[["group", "goodput_bytes"]].set_axis(["group", "value"], axis=1)
    order = ["connections per capture", "duration", "goodput to server", "goodput to client"]
    order += ["retransmitted packets", "round trip time"]
    for panel, what in enumerate(order, 1):
        own = [values[what][values[what].group == group].value.dropna() for group in groups]
        for group, value in zip(groups, own):
            found.distribution(group, what, value)
        found.bars(panel, "mean", [value.mean() for value in own])


@study
def ranks(found):
    sums = directions.groupby(KEY)[["goodput_bytes", "reinjected_bytes"]].sum()
    sizes = np.sort(sums.goodput_bytes)[::-1]
    found.number("", "connections", len(connections))
    found.number("", "goodput", sizes.sum())
    found.number("", "reinjected", sums.reinjected_bytes.sum())
    for shown, part in {"1 %": 100, "10 %": 10}.items():
        largest = sizes[: math.ceil(len(connections) / part)].sum() / sizes.sum()
        found.number("", f"share of the largest {shown} of connections", largest)
    found.series[1, "goodput"] = [(rank, size) for rank, size in enumerate(sizes, 1) if size > 0]


@study
def class_counts(found):
    rows = connection_sizes()
    durations = {"< 1 s": (0, 1), "1 to 10 s": (1, 10), "10 to 100 s": (10, 100), ">= 100 s": (100, np.inf)}
    for panel, (what, classes, values) in enumerate(
        [("duration", durations, rows.duration_s), ("size", SIZES, rows["size"])], 1
    ):
        masks = {name: (values >= low) & (values < high) for name, (low, high) in classes.items()}
        assert sum(masks.values()).eq(1).all(), "classes overlap"
        shares = {name: rows["size"][mask].sum() / rows["size"].sum() for name, mask in masks.items()}
        for name, mask in masks.items():
            found.share("", f"connections, {what} {name}", mask)
            found.number("", f"share of bytes, {what} {name}", shares[name])
        found.bars(panel, "connections", [mask.mean() for mask in masks.values()])
        found.bars(panel, "bytes", list(shares.values()))


@study
def frequencies(found):
    ports = connections.server_port.astype("Int64").astype(str)
    counts = sorted(ports.value_counts().items(), key=lambda item: (-item[1], item[0]))
    shown = counts[:20]
    if len(counts) > 20:
        shown.append(("(others)", sum(count for _, count in counts[20:])))
    for name, count in shown:
        found.number("", f"server_port {name}", count / len(ports))
    found.bars(1, "", [count / len(ports) for _, count in shown])


@study
def bytes_over_time(found):
    rows = bursts.merge(subflows[FLOW + ["kind"]].fillna({"kind": "?"}), on=FLOW).join(flows.groupby(KEY).first_s.min(), on=KEY)
    rows["time"] = rows.reltime_s + rows.duration_s - rows.first_s
    for panel, (towards, direction) in enumerate(DIRECTIONS.items(), 1):
        for name in sorted(subflows.kind.fillna("?").unique()):
            own = rows[(rows.towards == towards) & (rows.kind == name)]
            found.number("", f"{direction} on {name}: bytes", own.bytes.sum())
            found.number("", f"{direction} on {name}: bytes per connection", own.bytes.sum() / len(connections))
            # Where several end at one time, only the last of them shows in both.
            sums = own.groupby("time").bytes.sum().sort_index().cumsum() / len(connections)
            found.last[panel, name] = list(zip(sums.index, sums))


def near(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def compare(name, found):
    said = json.load(open(f"{FOLDER}/{name}.numbers.json"))
    numbers = {(row["group"], row["quantity"]): row for row in said}
    wrong = []
    for key, wanted in found.numbers.items():
        row = numbers.get(key)
        wanted = None if wanted is None or (isinstance(wanted, float) and math.isnan(wanted)) else float(wanted)
        if row is None or not near(row["value"], wanted):
            wrong.append(f"{name}: {key}: {row and row['value']}, NumPy has {wanted}")
    for key in numbers.keys() - found.numbers.keys():
        wrong.append(f"{name}: {key} is not checked")
    series = {}
    for row in json.load(open(f"{FOLDER}/{name}.values.json")):
        for axis in "xy":  # Axes say per cent and bits; computations are in parts of one and bytes.
            by = {"percent": 100, "bits_per_second": 8}.get(row[f"{axis}_unit"], 1)
            for value in (axis, f"{axis}_end"):
                row[value] = row[value] / by if by > 1 and row[value] is not None else row[value]
        point = (row["x"], row["y"]) if row["marks"] != "areas" else (row["x"], row["y"], row["x_end"], row["y_end"])
        if row["marks"] == "bars" and row["x_unit"] == "plain":
            point = (round((row["x"] + row["x_end"]) / 2), row["y"])
        series.setdefault((row["panel"], row["series"]), []).append(point)
    series.update((key, sorted(points)) for key, points in series.items() if key in found.unordered)
    found.series.update((key, sorted(points)) for key, points in found.unordered.items())
    for key, points in found.last.items():
        series[key], found.series[key] = list(dict(series.get(key, [])).items()), points
    for key, wanted in found.series.items():
        drawn = series.get(key, [])
        equal = len(drawn) == len(wanted) and all(
            all(near(a, b) for a, b in zip(one, other)) for one, other in zip(drawn, wanted)
        )
        if not equal and wanted:
            wrong.append(f"{name}: series {key}: {drawn[:4]} ({len(drawn)}), NumPy has {wanted[:4]} ({len(wanted)})")
    return wrong, len(found.numbers), len(found.series)


wrong, checked = [], []
for path in sorted(glob.glob(f"{FOLDER}/*.numbers.json")):
    name = os.path.basename(path).split(".")[0]
    if name not in STUDIES:
        wrong.append(f"{name}: has no computation to compare with")
        continue
    found = Found()
    STUDIES[name](found)
    more, numbers, series = compare(name, found)
    wrong += more
    checked.append(f"{name}: {numbers} numbers, {series} series")
print("\n".join(checked))
print("\n".join(wrong), file=sys.stderr)
sys.exit(bool(wrong))
