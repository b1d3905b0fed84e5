"""Count the requests and seconds of each command on a lake in a bucket behind a network with latency.

`python benchmarks/s3.py [LATENCY_MS]` starts SeaweedFS and a proxy on loopback, with a lake of the sample league.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import s3_servers

COMMANDS = (
    "ingest --lookback 1",
    "ingest --lookback 1",
    "status",
    "tables",
    "show gold.skater_game",
    "runs",
    "corrections",
    "rebuild",
    "check",
)


def main() -> None:
    latency = float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.03
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        program = str(Path(sys.executable).with_name("weed"))
        with (
            s3_servers.run_server(lambda: s3_servers.seaweed_command(program, folder), folder / "weed.log") as server,
            s3_servers.run_proxy(s3_servers.Proxy(server.endpoint, latency_s=latency)) as proxy,
        ):
            measure(proxy, folder)


def measure(proxy: s3_servers.Proxy, folder: Path) -> None:
    print(f"{'command':28}{'seconds':>9}{'requests':>10}  of them")
    for root in (str(proxy.as_server().make_empty_location()), str(folder / "lake")):
        print(f"-- {'bucket, ' + str(round(proxy.latency_s * 1000)) + ' ms' if '://' in root else 'folder'}")
        settings = {"NHL_LAKE_ROOT": root, "NHL_LAKE_API": "league:", "NHL_LAKE_RATE": "0"}
        for n, command in enumerate(COMMANDS):
            now = {"NHL_LAKE_NOW": f"2025-10-{14 if n == 0 else 15}T12:00:00Z"}
            proxy.request_log.clear()
            start = time.perf_counter()
            words = [sys.executable, "-m", "nhl_lake", *command.split()]
            variables = os.environ | proxy.as_server().get_aws_variables() | settings | now
            done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - start
            counts = ", ".join(f"{kind} {count}" for kind, count in sorted(proxy.count_requests().items()))
            trouble = done.stderr[-300:] if done.returncode else ""
            print(f"{command:28}{seconds:9.1f}{len(proxy.request_log):10}  {counts}{trouble}")


if __name__ == "__main__":
    main()
