"""The server at 100,000 runs and 1,000,000 versions: answers, load, memory, followers, start.

    python -m bench.server

The store is made by `bench.large`; BENCH_RUNS makes a smaller one, BENCH_HOME keeps it. Client and server share the machine, so at
full load the client takes a part of what the server could do.
"""

import asyncio
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from bench import large
from bench.table import table, verdict

RUNS = int(os.environ.get("BENCH_RUNS", large.RUNS))
SECONDS = 2.0  # that each measurement under load lasts
CONCURRENT = (1, 8, 32)
ONE_BY_ONE = 15  # requests whose median counts
FOLLOWERS = 200
STEPS = 1000
AIM = 50.0  # milliseconds
START_AIM = 1.5  # seconds
BUNDLE_AIM = 300.0  # kB
STATIC = Path(__file__).parents[1] / "src" / "lineal" / "server" / "static"

UP = [sys.executable, "-c", "from lineal.cli import main; main(['up', '--no-browser', '--port', '0', '--json'])"]
LONG_RUN = f"""
from lineal import pipeline, step

@step
def advance(x: int) -> int:
    return x + 1

@pipeline
def long(start: int) -> None:
    x = start
    for _ in range({STEPS}):
        x = advance(x)

print(long(0).id)
"""
LIVE_RUN = """
import time
from lineal import pipeline, step

@step(enable_cache=False)
def wait(x: int) -> int:
    time.sleep(0.5)
    return x

@pipeline
def followed() -> None:
    x = 0
    for _ in range(12):
        x = wait(x)

followed()
print(time.time())
"""


class Server(NamedTuple):
    """A server of its own process."""

    port: int
    token: str
    pid: int
    started: float


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Start a server; `started` is the seconds until its first page, with what that page asks for, has come."""
    began = time.perf_counter()
    process = subprocess.Popen(UP, env=environment(home), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        found = json.loads(text)
        port, token = int(found["url"].rpartition(":")[2]), Path(found["token_file"]).read_text(encoding="ascii").strip()
        server = Server(port, token, process.pid, 0.0)
        asyncio.run(ask(server, ["/", "/api/v1/home"]))
        yield server._replace(started=time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait()


def environment(home: Path) -> dict[str, str]:
    """Give an environment in which Lineal uses a home, shows no runs, and is compiled once, as where it was installed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_") and name != "PYTHONDONTWRITEBYTECODE"}
    return clean | {"LINEAL_HOME": str(home), "LINEAL_QUIET": "1", "PYTHONPYCACHEPREFIX": str(home / "compiled")}


class Connection:
    """Asks over one connection that is kept: the least that HTTP needs, so that little of the time is the client's."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port, limit=1 << 24)

    async def get(self, path: str) -> bytes:
        """Give the body of an answer. Raises RuntimeError for any status but 200."""
        self._send(path)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"{path}: {head[:80]!r}")
        size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self._reader.readexactly(size)

    async def follow(self, path: str) -> tuple[int, float]:
        """Read events until the last; give how many there were and when the last came."""
        self._send(path)
        events = 0
        while True:
            line = await self._reader.readline()
            events += line.startswith(b"event: run")
            if line.startswith(b"event: end") or not line:
                return events if line else -1, time.time()

    def _send(self, path: str) -> None:
        server = self._server
        self._writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nauthorization: Bearer {server.token}\r\n\r\n".encode())

    def close(self) -> None:
        """Let go."""
        self._writer.close()


async def ask(server: Server, paths: list[str]) -> list[bytes]:
    """Ask for some paths one after the other."""
    connection = Connection(server)
    await connection.open()
    found = [await connection.get(path) for path in paths]
    connection.close()
    return found


async def median(server: Server, path: str) -> float:
    """Give the median milliseconds of an answer, over one connection."""
    connection = Connection(server)
    await connection.open()
    times = []
    for _ in range(ONE_BY_ONE):
        began = time.perf_counter()
        await connection.get(path)
        times.append((time.perf_counter() - began) * 1e3)
    connection.close()
    return statistics.median(times)


async def load(server: Server, path: str, concurrent: int) -> tuple[float, float, float]:
    """Ask for a path over many connections; give requests a second, and the median and 99th percentile in milliseconds."""
    times: list[float] = []
    until = time.perf_counter() + SECONDS

    async def worker() -> None:
        connection = Connection(server)
        await connection.open()
        while (began := time.perf_counter()) < until:
            await connection.get(path)
            times.append((time.perf_counter() - began) * 1e3)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrent)))
    took = time.perf_counter() - began
    times.sort()
    return len(times) / took, times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]


async def followers(server: Server, home: Path) -> tuple[int, float, float, float]:
    """Let many follow a run that goes on; give how many saw its end, the worst delay of that in ms, processor seconds, and the run's own."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LIVE_RUN, env=environment(home), stdout=subprocess.PIPE)
    run_id = None
    while run_id is None:
        await asyncio.sleep(0.2)
        [body] = await ask(server, ["/api/v1/runs?pipeline=followed&status=running"])
        run_id = next((run["id"] for run in json.loads(body)["items"]), None)
    connections = [Connection(server) for _ in range(FOLLOWERS)]
    for connection in connections:
        await connection.open()
    before, began = processor_seconds(server.pid), time.time()
    found = await asyncio.gather(*(connection.follow(f"/api/v1/runs/{run_id}/events") for connection in connections))
    used, took = processor_seconds(server.pid) - before, time.time() - began
    output, _ = await process.communicate()
    ended = float(output.split()[-1])
    for connection in connections:
        connection.close()
    return sum(events > 1 for events, _ in found), max(at - ended for _, at in found) * 1e3, used, took


def processor_seconds(pid: int) -> float:
    """Give what a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Give the memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024


async def reads(server: Server, long_run: str) -> dict[str, str]:
    """Give what pages ask for, by name."""
    asked = [
        "/api/v1/versions?artifact=training_03_model&limit=1",
        "/api/v1/versions?artifact=training_03_dataset&limit=1",
        "/api/v1/runs?pipeline=training_03&limit=1",
    ]
    model, dataset, run = [json.loads(body)["items"][0]["id"] for body in await ask(server, asked)]
    query = quote("accuracy > 0.99")
    found = {
        "home": "home", "pipelines": "pipelines", "storage": "storage", "runs": "runs", "runs, the last page": f"runs?offset={RUNS - 50}",
        "runs of a pipeline": "runs?pipeline=training_03", "runs that failed": "runs?status=failed", "runs with a tag": "runs?tags=nightly",
        "runs by a part of the name": "runs?name=*0099*", "runs by duration": "runs?sort=-duration", "runs by pipeline": "runs?sort=pipeline",
        "runs by name": "runs?sort=name", "a run": f"runs/{run}", f"a run of {STEPS:,} steps": f"runs/{long_run}",
        "artifacts": "artifacts", "what artifacts can be filtered by": "artifact-facets", "artifacts by a part of the name": "artifacts?name=*model*", "artifacts by size": "artifacts?sort=-size",
        "artifacts with a tag that 1 % of all versions have": "artifacts?tags=best", "versions": "versions",
        "versions of an artifact": "versions?artifact=training_03_model",
        "its versions by number": "versions?artifact=training_03_model&sort=number",
        "versions by a question": f"versions?artifact=training_03_accuracy&metadata={query}", "a version": f"versions/{model}",
        "its lineage, 3 steps each way": f"versions/{model}/lineage?depth=3", "all its lineage": f"versions/{model}/lineage",
        "a version that up to 500 runs used": f"versions/{dataset}", "its lineage, 1 step each way": f"versions/{dataset}/lineage?depth=1",
    }  # fmt: skip
    return {name: f"/api/v1/{path}" for name, path in found.items()}


LOADED = ("home", "runs", "a run", "a version", "its lineage, 3 steps each way")


def bundle() -> float:
    """Give the kB that a browser gets before the first page, compressed; maps are not among them."""
    files = [path for path in STATIC.rglob("*") if path.suffix in (".html", ".js", ".css")]
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1000


def report() -> list[str]:
    """Measure, and give the section of the results."""
    kept = os.environ.get("BENCH_HOME")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        home = Path(kept).absolute() if kept else Path(folder, "home")
        if not (home / "lineal.db").exists():
            large.make(home, RUNS)
        return _report(home, Path(folder))


def _report(home: Path, scratch: Path) -> list[str]:
    long_run = subprocess.run(
        [sys.executable, "-c", LONG_RUN], env=environment(home), check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    starts = []
    for place in (scratch / "empty", home):
        found = []
        for _ in range(5):
            with serving(place) as server:
                found.append(server.started)
        starts.append(statistics.median(found))
    loaded = []
    with serving(home) as server:
        before = resident(server.pid)
        paths = asyncio.run(reads(server, long_run))
        singles = [[name, verdict_ms(asyncio.run(median(server, path)))] for name, path in paths.items()]
        for name in LOADED:
            cells = []
            for concurrent in CONCURRENT:
                rate, middle, worst = asyncio.run(load(server, paths[name], concurrent))
                cells.append(f"{rate:.0f}/s, {middle:.1f}, {worst:.1f}")
            loaded.append([name, *cells])
        after = resident(server.pid)
        ended, delay, used, took = asyncio.run(followers(server, home))
    return [
        f"## The server at {RUNS:,} runs and {RUNS * large.VERSIONS_A_RUN:,} versions",
        "",
        f"The store was made by SQL (`bench/large.py`), but for one run of {STEPS:,} steps. Over one connection, the median milliseconds of {ONE_BY_ONE}, "
        f"with what HTTP takes; aimed at {AIM:.0f}.",
        "",
        *table(["read", "ms"], singles),
        f"Under load, for {SECONDS:.0f} s each, from a client on the same machine: requests a second, median ms, 99th percentile ms.",
        "",
        *table(["read", *(f"{each} at once" for each in CONCURRENT)], loaded),
        *table(
            ["", ""],
            [
                ["memory when it has started, MB", f"{before:.0f}"],
                ["memory after all this, MB", f"{after:.0f}"],
                [f"of {FOLLOWERS} followers of one run, those that saw its end", str(ended)],
                ["the last of them after the run's process knew it, ms", f"{delay:.0f}"],
                [f"processor seconds for that in {took:.0f} s", f"{used:.2f}"],
                ["from `lineal up` to the first page, empty home, s", verdict(starts[0], START_AIM)],
                ["from `lineal up` to the first page, this store, s", verdict(starts[1], START_AIM)],
                ["the dashboard's files, compressed, kB", verdict(bundle(), BUNDLE_AIM)],
            ],
        ),
    ]


def verdict_ms(milliseconds: float) -> str:
    """Give milliseconds, with a mark where they are above what is aimed at."""
    return f"{milliseconds:.1f}" if milliseconds <= AIM else verdict(milliseconds, AIM)


if __name__ == "__main__":
    print("\n".join(report()))
