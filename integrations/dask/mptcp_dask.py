"""Analyzes captures on many machines: one capture is one Dask task, which runs `mptcpanalyzer analyze`.

Captures and the dataset may be local (a shared file system on a cluster) or anything that fsspec knows by its URL, such as
`s3://bucket/captures`. The dataset is the one that `mptcpanalyzer analyze` writes, table by table.
"""

import argparse
import importlib
import json
import os
import posixpath
import subprocess
import sys
import tempfile

import fsspec
from dask.distributed import Client, as_completed, get_worker

ENDINGS = tuple(f".{kind}{packed}" for kind in ("pcap", "pcapng", "cap") for packed in ("", ".gz", ".zst", ".lz4"))


class Given(Exception):
    """What the person has to change."""


def is_local(fs):
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)


def find(inputs, root):
    """The captures in `inputs` (files, folders, patterns) as {name: (URL, size)}; a name is the path below `root`."""
    found = {}
    for url in inputs:
        fs, path = fsspec.core.url_to_fs(url)
        listed = fs.find(path, detail=True) if fs.isdir(path) else fs.glob(path, detail=True)
        folder = fs.isdir(path)
        below = fsspec.core.url_to_fs(root)[1] if root else path if folder else posixpath.dirname(path)
        for file, info in sorted(listed.items()):
            if info["type"] != "file" or (folder and not file.endswith(ENDINGS)):
                continue
            name = posixpath.relpath(file, below)
            if name.startswith(".."):
                raise Given(f"{file} is not below {below}; name a folder that holds all captures with --root")
            capture = (fs.unstrip_protocol(file), info["size"])
            if found.setdefault(name, capture) != capture:
                raise Given(f"two captures are called {name}; name a folder above both with --root")
    if not found:
        raise Given(f"no captures in {' '.join(inputs)}; the endings are {' '.join(ENDINGS)}")
    return found


def recorded(out):
    """What a remote dataset has: {name: size} of captures that were read without an error."""
    fs, path = fsspec.core.url_to_fs(out)
    if is_local(fs) or not fs.isdir(f"{path}/captures"):
        return {}
    import pyarrow.parquet as parquet

    table = parquet.read_table(f"{path}/captures", filesystem=fs, columns=["name", "size_bytes", "status"])
    return {row["name"]: row["size_bytes"] for row in table.to_pylist() if row["status"] in ("ok", "partial")}


def upload(folder, out):
    """Puts the parts of one capture into the dataset, those of `captures` last: they say that the others are whole."""
    fs, path = fsspec.core.url_to_fs(out)
    tables = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("_"))
    (part,) = [name for name in os.listdir(f"{folder}/captures") if name.startswith("part-")]
    for table in tables:  # What an earlier run left must not be taken for this one's: `captures` comes first here.
        if fs.exists(f"{path}/{table}/{part}"):
            fs.rm_file(f"{path}/{table}/{part}")
    for table in [table for table in tables if table != "captures"] + ["captures"]:
        for name in (part, "schema.parquet"):
            if os.path.exists(f"{folder}/{table}/{name}") and (name == part or not fs.exists(f"{path}/{table}/{name}")):
                fs.put_file(f"{folder}/{table}/{name}", f"{path}/{table}/{name}")
    if not fs.exists(f"{path}/_dataset.json"):
        fs.put_file(f"{folder}/_dataset.json", f"{path}/_dataset.json")


def analyze(name, url, out, program, options):
    """The task: analyzes one capture, and returns the record that the program prints about it."""
    source, path = fsspec.core.url_to_fs(url)
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        if is_local(source):
            file, root = path, path[: -len(name)]
        else:
            file, root = os.path.join(folder, "captures", name), os.path.join(folder, "captures")
            os.makedirs(os.path.dirname(file))
            source.get_file(path, file)
            written = source.modified(path).timestamp()
            os.utime(file, (written, written))
        target, dataset = fsspec.core.url_to_fs(out)
        local = dataset if is_local(target) else os.path.join(folder, "dataset")
        command = [program, "analyze", file, "--root", root, "--out", local, "--jobs", "1", "--format", "ndjson", *options]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode not in (0, 3):  # 3: the capture has a row, which says what is wrong with it.
            raise RuntimeError(done.stderr.strip() or f"{program} ended with {done.returncode}")
        if local != dataset:
            upload(local, out)
        return json.loads(done.stdout or json.dumps({"name": name, "status": "skipped"}))


def scratch():
    """Fast local storage of the worker: where it spills to, or the system's."""
    try:
        return get_worker().local_directory
    except (ValueError, AttributeError):
        return None


def connect(given):
    """The scheduler that is named, or a cluster of the class that is named, which takes its settings from Dask's files."""
    if given.scheduler:
        return Client(**{"scheduler_file" if os.path.exists(given.scheduler) else "address": given.scheduler})
    module, _, name = given.cluster.rpartition(".")
    # Each worker runs one program at a time; the other classes say so in their settings.
    settings = {"n_workers": 0, "threads_per_worker": 1} if name == "LocalCluster" else {}
    cluster = getattr(importlib.import_module(module), name)(**settings)
    cluster.scale(given.workers)
    return Client(cluster)


def main(argv=None):
    further = "Further options go to `mptcpanalyzer analyze`."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=further)
    parser.add_argument("input", nargs="+", help="captures, folders or patterns: paths or URLs")
    parser.add_argument("--out", required=True, help="folder of the dataset: path or URL")
    parser.add_argument("--root", help="name captures by their path below this folder")
    parser.add_argument("--program", default="mptcpanalyzer", help="the program on the workers")
    parser.add_argument("--scheduler", help="a scheduler that runs: tcp://HOST:PORT, or its file")
    cluster = "else a class, such as dask_jobqueue.SLURMCluster"
    parser.add_argument("--cluster", default="distributed.LocalCluster", help=cluster)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="workers of that cluster")
    parser.add_argument("--retries", type=int, default=3, help="further attempts when a task fails")
    parser.add_argument("--again", action="store_true", help="analyze captures again that are in a remote dataset")
    given, options = parser.parse_known_args(argv)
    captures, done = find(given.input, given.root), {} if given.again else recorded(given.out)
    todo = iter([(name, url) for name, (url, size) in captures.items() if done.get(name) != size])
    out = given.out if "://" in given.out else os.path.abspath(given.out)
    client = connect(given)
    failed, names = 0, {}

    def more():
        for name, url in todo:
            task = client.submit(analyze, name, url, out, given.program, options, retries=given.retries, pure=False)
            names[task.key] = name
            return task
        return None

    # A window of tasks: a million of them at once would weigh on the scheduler.
    running = as_completed([task for task in (more() for _ in range(max(1000, 4 * given.workers))) if task])
    for task in running:
        name = names.pop(task.key)
        try:
            record = task.result()
        except Exception as error:  # A task that failed for good costs its capture, never the run.
            record = {"name": name, "status": "failed", "error": str(error)}
        failed += record["status"] not in ("ok", "partial", "skipped")
        print(json.dumps(record), flush=True)
        if following := more():
            running.add(following)
    print(f"{len(captures)} captures, {failed} failed", file=sys.stderr)
    cluster = client.cluster
    client.close()
    if cluster and not given.scheduler:
        cluster.close()
    return 3 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # `| head`: nobody reads any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Given as sentence:
        sys.exit(f"error: {sentence}")
