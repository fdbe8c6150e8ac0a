"""Runs on a Dask cluster: each run is a process of its own beside the Dask worker, and its files come back as bytes.

A process of its own, because SUMO is one per process and cannot be stopped from within; the client writes the files,
so no file system has to be shared. Beyond this machine only ``tls://`` is accepted.
"""

from __future__ import annotations

import importlib
import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scenarios.runner.store import DISK, DONE, DiskError, Job, clear
from scenarios.runner.telling import Tell, Told
from twin.errors import ScenarioError


def check_address(address: str) -> str:
    """Return the address of a scheduler: on this machine, or tls://. Raises ScenarioError."""
    scheme, _, rest = address.rpartition("://")
    host = rest.rsplit(":", 1)[0].strip("[]")
    if not rest or ":" not in rest or scheme not in ("", "tcp", "tls"):
        raise ScenarioError(f"--cluster: is '{address}'; allowed: tcp://127.0.0.1:PORT, or tls://HOST:PORT")
    if scheme != "tls" and not _loopback(host):
        raise ScenarioError(f"--cluster: {address} is beyond this machine; only tls://HOST:PORT is allowed there")
    return address if scheme else f"tcp://{address}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run_remotely(job: dict[str, Any]) -> dict[str, Any]:
    """Run one job in a process of its own, on the cluster's side; return its files, or what failed."""
    import json
    import subprocess
    import sys
    import tempfile

    from scenarios.runner.pool import environment

    with tempfile.TemporaryDirectory(prefix="twin-run-") as work:
        folder = Path(work) / "run"
        done = subprocess.run(
            [sys.executable, "-m", "scenarios.runner.worker"],
            input=json.dumps({**job, "folder": str(folder)}) + "\n",
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        last: dict[str, Any] = said[-1] if said else {}
        if "done" not in last:
            told = last.get("failed", {"kind": "bug", "said": f"its process ended with code {done.returncode}"})
            return {"failed": told}
        files = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
        return {"files": files}


def run_on_cluster(
    todo: Sequence[Job],
    out: Path,
    address: str,
    tell: Tell,
    cancelled: Callable[[], bool],
    failed: dict[tuple[str, int], str],
) -> None:
    """Run jobs on the cluster at ``address``; raises ScenarioError when there is none."""
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise ScenarioError("--cluster: Dask is not installed; install the extra 'cluster'") from None

    where = check_address(address)
    secure = where.startswith("tls://")
    options: dict[str, Any] = {"security": distributed.Security(require_encryption=True)} if secure else {}
    try:
        client = distributed.Client(where, timeout="10s", set_as_default=False, **options)
    except (OSError, TimeoutError, ValueError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ScenarioError(f"--cluster: no scheduler answers at {where} ({said})") from None
    with client:
        _collect(client, todo, out, tell, cancelled, failed)


def _collect(
    client: Any,
    todo: Sequence[Job],
    out: Path,
    tell: Tell,
    cancelled: Callable[[], bool],
    failed: dict[tuple[str, int], str],
) -> None:
    distributed: Any = importlib.import_module("distributed")
    futures = {}
    for k, job in enumerate(todo):
        future = client.submit(run_remotely, job.as_data(out), pure=False, retries=1, priority=-k)
        futures[future.key] = (job, future)
    waiting = distributed.as_completed([f for _, f in futures.values()], loop=client.loop, raise_errors=False)
    try:
        for future in waiting:
            job, _ = futures.pop(future.key)
            if future.status == "finished":
                answer = future.result()
            else:
                answer = {"failed": {"said": " ".join(str(future.exception()).split())[:300]}}
            future.release()
            if "files" in answer:
                _write(job.folder(out), answer["files"], out)
                tell(Told("finished", job, share=1.0))
            else:
                failed[job.id] = answer["failed"]["said"]
                tell(Told("failed", job, said=answer["failed"]["said"]))
            if cancelled():
                break
    finally:
        if futures:
            client.cancel([f for _, f in futures.values()], force=True)


def _write(folder: Path, files: dict[str, bytes], out: Path) -> None:
    """Write a run's files, the word that it is finished last. A name may not leave the folder."""
    clear(folder)
    root = folder.absolute()
    try:
        for name in sorted(files, key=lambda n: n == DONE):
            target = root / name
            if not target.resolve().is_relative_to(root.resolve()):
                raise ScenarioError(f"--cluster: a worker sent a file '{name}' outside its run folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[name])
    except OSError as error:
        if error.errno in DISK:
            clear(folder)
            raise DiskError(f"--out {out}: cannot be written any more ({error.strerror})") from None
        raise
