"""A machine in a folder: paths of the operators' pages lie below it, and stand-ins for system tools do the same."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("/opt/watersmeet", "/etc/watersmeet", "/etc/systemd/system", "/var/lib/watersmeet", "/var/backups/watersmeet")
_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

WATERSMEET = """#!/bin/sh
exec "{python}" -m watersmeet.api.cli "$@"
"""

PIP = """#!/bin/sh
# The wheel is built and looked into by other tests; here only what is asked for has to be there.
for last in "$@"; do :; done
src="${last%%\\[*}"
extras="${last##*\\[}"
test "$1" = install && test -f "$src/pyproject.toml" && grep -q "^${extras%%]*} = " "$src/pyproject.toml"
"""

SUDO = '#!/bin/sh\nexec "$@"\n'
NOTHING = "#!/bin/sh\nexit 0\n"
VENV = """#!/bin/sh
# A real environment, with our own interpreter's packages behind the two commands that the pages use.
if [ "$1 $2" = "-m venv" ]; then
    "{python}" -m venv --without-pip "$3" && cp "{stand_ins}/watersmeet" "{stand_ins}/pip" "$3/bin/"
else
    exec "{python}" "$@"
fi
"""

JOURNALCTL = '#!/bin/sh\ntest "$1 $2" = "--unit watersmeet" && cat "{root}/service.log"\n'


class Machine:
    """Runs the pages; `end` stops what they started."""

    def __init__(self, root: Path, *, store_url: str = "") -> None:
        self.root = root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        stand_ins = root / "stand-ins"
        stand_ins.mkdir(parents=True)
        named = {"python": sys.executable, "stand_ins": stand_ins, "root": root}
        actors = f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("stand_ins.py")}" {{}} "$@"\n'
        for name, text in {
            "watersmeet": WATERSMEET.replace("{python}", sys.executable),
            "pip": PIP,
            "sudo": SUDO,
            "useradd": NOTHING,
            "chown": NOTHING,
            "python3": VENV.replace("{python}", sys.executable).replace("{stand_ins}", str(stand_ins)),
            "journalctl": JOURNALCTL.format(**named),
            "systemctl": actors.format("systemctl"),
            "docker": actors.format("docker"),
        }.items():
            (stand_ins / name).write_text(text)
            (stand_ins / name).chmod(0o755)
        for place in PLACES:
            (root / place[1:]).mkdir(parents=True)
        (root / "opt/watersmeet").rmdir()  # the page makes it
        (root / "opt/watersmeet-src").mkdir()
        (root / "opt/watersmeet-src/pyproject.toml").symlink_to(ROOT / "pyproject.toml")
        self.environment = {
            "PATH": f"{stand_ins}:{os.environ['PATH']}",
            "HOME": str(root),
            "NO_COLOR": "1",
            "WATERSMEET_SERVER__PORT": str(self.port),
            "MACHINE": str(root),
            "MACHINE_STORE": store_url,
        }

    def placed(self, text: str) -> str:
        """The text with its paths below this machine, and its port for the one that is free here."""
        for place in PLACES:
            text = text.replace(place, f"{self.root}{place}")
        return text.replace("8765", str(self.port))

    def script(self, page: str) -> str:
        """All blocks of a page in their order: files are written, commands are typed."""
        lines = ["set -euo pipefail"]
        for language, file, body in _FENCE.findall(page):
            if file:
                lines.append(f"cat >'{file}' <<'END_OF_FILE'\n{body}END_OF_FILE")
            elif language == "sh":
                lines.append(body)
        return self.placed("\n".join(lines))

    def run(self, script: str, *, also: dict[str, str] | None = None) -> str:
        """What a script says. Raises `AssertionError` with all of it where a command fails."""
        done = subprocess.run(
            ["bash", "-x", "-c", script],
            cwd=self.root,
            env=self.environment | (also or {}),
            capture_output=True,
            text=True,
            timeout=240,
        )
        log = self.root / "service.log"
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log.read_text() if log.exists() else ''}"
        return done.stdout + done.stderr

    def end(self) -> None:
        """Stop the service, if it runs."""
        subprocess.run([self.root / "stand-ins" / "systemctl", "stop", "watersmeet"], env=self.environment, check=False)
