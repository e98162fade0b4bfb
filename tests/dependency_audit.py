"""Known holes in what Pitwall installs, by pip-audit; one line where nobody can be asked.

It lives in an environment of its own, because it brings a lot along. `make check` runs it.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = Path(sys.prefix) / "audit"
TOOL = "pip-audit==2.10.1"
LISTS = ("requirements.txt", "requirements-dev.txt", "requirements-cluster.txt")
PATIENCE_S = 90


def installed() -> Path | None:
    """The program, installed at first use; None where that can't be done."""
    program = HOME / "bin" / "pip-audit"
    if program.exists():
        return program
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOL]
    try:
        venv.create(HOME, with_pip=True)
        done = subprocess.run(
            [HOME / "bin" / "python", *words], capture_output=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return program if done.returncode == 0 else None


def findings(program: Path, listed: str) -> tuple[list[str], int]:
    """(holes as sentences, how many packages could be asked about). Raises ValueError."""
    words = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(
        [program, *words, "-r", str(ROOT / listed)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    packages = json.loads(done.stdout)["dependencies"]
    asked = [package for package in packages if "skip_reason" not in package]
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, fixed in {hole['fix_versions']}"
        for package in asked
        for hole in package["vulns"]
    ]
    return holes, len(asked)


def main() -> int:
    program = installed()
    if program is None:
        print("Dependencies were not audited: pip-audit can't be installed here.")
        return 0
    try:
        found = [findings(program, listed) for listed in LISTS]
    except (ValueError, KeyError, subprocess.SubprocessError):
        print("Dependencies were not audited: the list of known holes can't be reached.")
        return 0
    holes = [hole for some, _ in found for hole in some]
    asked = sum(count for _, count in found)
    if not asked:
        print("Dependencies were not audited: this index has no list of known holes.")
    else:
        print("\n".join(holes) or f"{asked} dependencies have no known hole.")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
