"""Studies of paths, transfers, classes, handovers and of data that is sent again."""

import math

import numpy as np
import pandas as pd

from found import *
from of_connections import SIZES


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
    # A panel without a point is left out, and the next one has its number.
    found.bars(1 + int(both.any()), "mean", [wide[name].mean() if name in wide else 0 for name in kinds])


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


@study
def handovers(found):
    used = connections[connections.subflows_used >= 2]
    rows = table("handovers").merge(used[KEY], on=KEY).merge(flows.groupby(KEY).first_s.min().rename("start"), on=KEY)
    times, gaps = list(rows.stopped_s - rows.start), list(rows.gap_s)
    verdicts, shares = [], {"handover": [], "no handover": []}
    handed_over = set(zip(*(rows[name] for name in KEY)))
    kinds = subflows.set_index(FLOW).kind
    for key, group in flows.merge(used[KEY], on=KEY).groupby(KEY):
        verdicts.append(key in handed_over)
        initial = group.tcpstream.map(lambda stream: kinds[(*key, stream)] == "initial")
        if initial.any() and group.goodput_bytes.sum() > 0:
            share = group.goodput_bytes[initial].sum() / group.goodput_bytes.sum()
            shares["handover" if key in handed_over else "no handover"].append(share)
    assert len(verdicts) == len(used), "handovers are of connections with two used subflows"
    found.share("", "connections with a handover", verdicts)
    for cause in ["silent", "reset", "fin", "remove_addr", "backup", "mp_fail"]:
        found.share("", f"handovers: {cause}", rows.cause == cause)
    found.distribution("", "time of the handover", times)
    found.distribution("", "gap", gaps)
    found.cdf(1, "", times)
    found.cdf(2, "", gaps, log=False)
    for name, values in shares.items():
        found.distribution(name, "share on the initial subflow", values)
        found.cdf(3, name, values, log=False)


@study
def repeat_positions(found):
    ends = flows.groupby(KEY).agg(first=("first_s", "min"), last=("last_s", "max"))
    for name in ["retransmissions", "reinjections"]:
        rows = table(name).merge(connections[connections.subflows_used >= 2][KEY], on=KEY).join(ends, on=KEY)
        rows = rows[rows["last"] - rows["first"] > 0.001]
        time = rows.reltime_s - rows["first"]
        position = time / (rows["last"] - rows["first"])
        assert position.between(0, 1).all()
        found.limits(name, "time", time, {"1 s": 1})
        found.limits(name, "position", position, least={"99 %": 0.99})
        found.distribution(name, "position", position)
        found.cdf(1, name, position, log=False)
        found.cdf(2, name, time)


@study
def resends(found):
    means = directions[directions.rtt_data_samples >= 2][KEY + ["towards", "rtt_data_mean_s"]]
    rows = table("reinjections")
    rows = rows.merge(means, on=KEY + ["towards"], how="left")
    for towards, name in DIRECTIONS.items():
        own = rows[rows.towards == towards]
        found.distribution(name, "age", own.age_s)
        found.cdf(1, name, own.age_s)
        share = (own.age_s / own.rtt_data_mean_s).dropna()
        found.distribution(name, "age / round trip time", share)
        found.cdf(2, name, share)
    found.share("", "needed, where that is known", rows.needed.dropna().astype(bool))


@study
def ack_sizes(found):
    rows = table("ack_sizes").merge(connections[connections.subflows >= 2][KEY], on=KEY)
    rows = rows[rows.tcpstream.isna() & (rows.bytes > 0) & (rows.bytes <= 1e8)]
    for towards, name in DIRECTIONS.items():
        own = rows[rows.towards == towards]
        if not len(own):
            continue
        values = np.repeat(own.bytes.to_numpy(), own["count"].to_numpy())
        found.number(name, "DATA_ACKs", len(values))
        found.number(name, "data", values.sum())
        for limit in (1428, 2856, 20000):
            found.number(name, f"share of the data at {limit} B", values[values <= limit].sum() / values.sum())
        found.cdf(1, name, values, kind="of sum")
