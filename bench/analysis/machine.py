# SPDX-License-Identifier: Apache-2.0
"""The machine under ci/bench: its CPUs, a folder that goes away again, and the commands
that are run one after the other.  Knows nothing of what is measured.
"""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, NamedTuple, Optional, Sequence, Union

import verb
from verb import Unable

Words = Sequence[Union[str, Path]]


class Layout(NamedTuple):
    """The client has a CPU of its own as soon as there are two: what is measured must not
    wait for who measures."""
    name: str
    client: str
    server: str

    def words(self) -> str:
        return f"{self.name}=client:{self.client},server:{self.server}"


def layout_for(cpus: int) -> Layout:
    if cpus == 1:
        return Layout("same", "0", "0")
    if cpus <= 3:
        return Layout("split", "1", "0")
    return Layout("wide", str(cpus - 1), f"0-{cpus - 2}")


def choose_layout() -> Layout:
    allowed = os.sched_getaffinity(0)
    if allowed != set(range(len(allowed))):
        raise Unable(f"this process may use the CPUs {sorted(allowed)}: run it where CPU 0 and the "
                     "ones after it are allowed")
    return layout_for(len(allowed))


def choose_user() -> tuple[str, list[str]]:
    """Who the daemon runs as, and how setpriv becomes it: it refuses to be root; everything
    else runs as whoever calls."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name, []
    user = "keyward"
    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:
        if subprocess.run(["useradd", "--system", "--no-create-home", "--shell",
                           "/usr/sbin/nologin", user], check=False).returncode != 0:
            raise Unable("cannot make the system user 'keyward': make it by hand (useradd --system "
                         "keyward) and start again") from None
        group = pwd.getpwnam(user).pw_gid
    return user, ["--reuid", user, "--regid", str(group), "--clear-groups"]


class Interrupted(Exception):
    """Ctrl-C: nothing more is begun."""


class Commands(verb.Stop):
    """Runs one command at a time to its end, also when a signal comes meanwhile: it is told
    and ends in order."""

    def __init__(self) -> None:
        super().__init__()
        self.job: Optional["subprocess.Popen[bytes]"] = None

    def _note(self, number: int, frame: object) -> None:
        super()._note(number, frame)
        if self.job is not None and self.job.returncode is None:
            self.job.terminate()

    def run(self, words: Words, out: Optional[IO[bytes]] = None,
            err: Optional[IO[bytes]] = None, env: Optional[dict[str, str]] = None) -> int:
        """Its exit status; `env` is added to its environment."""
        if self.asked:
            raise Interrupted
        self.job = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    env={**os.environ, **(env or {})})
        try:
            if self.asked:  # while it was being started
                self.job.terminate()
            return self.job.wait()
        finally:
            self.job = None


class Scratch:
    """A folder below /var/tmp: short, as a socket's path is, and where the daemon's user can
    go.  It is gone at the end; when the end is a failure, its logs are shown before."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.path = Path(tempfile.mkdtemp(prefix="keyward-bench-", dir="/var/tmp"))
        self.path.chmod(0o755)
        for name in ("bin", "log"):
            (self.path / name).mkdir()

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, (Unable, OSError)) and not self.commands.asked:
            self.show_logs()
        subprocess.run(["chmod", "-R", "u+rwX", self.path], check=False)
        shutil.rmtree(self.path)

    def log(self, name: str) -> Path:
        return self.path / "log" / name

    def show_logs(self) -> None:
        sys.stdout.flush()
        for log in sorted((self.path / "log").iterdir()):
            lines = log.read_text(errors="replace").splitlines()[-8:]
            if lines:
                print(f"---- the last lines of {log.name}", *lines, sep="\n", file=sys.stderr)

    def logged(self, name: str, *words: Union[str, Path],
               env: Optional[dict[str, str]] = None) -> None:
        """A command that has to succeed; what it says is in the log."""
        with open(self.log(name), "ab") as log:
            if self.commands.run(words, log, log, env) != 0:
                if self.commands.asked:
                    raise Interrupted
                raise Unable(f"this failed ({name}): {' '.join(map(str, words))}")
