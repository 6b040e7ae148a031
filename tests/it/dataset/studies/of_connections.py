"""Studies of connections, subflows, bursts and handshakes."""

import numpy as np
import pandas as pd

from found import *


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
