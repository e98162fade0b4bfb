"""Finds the Chromium that browser tests use; run as a program, it installs one where none is.

PITWALL_TEST_CHROMIUM names a browser, or is `none` to go without. Without a browser the tests that
need one are skipped, and the summary says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

SETTING = "PITWALL_TEST_CHROMIUM"
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The same engine without what windows need: a test takes half of the processor.
SHELL = ("chromium-headless-shell",)
ARGUMENTS = (
    "--no-sandbox",  # Chromium refuses to start as root with it, and most build machines are root
    "--disable-dev-shm-usage",  # containers have 64 MB there; a page that needs more crashes
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP wall.test 127.0.0.1",  # what a browser takes for another machine
)
MISSING = (
    "NO BROWSER: the tests marked `browser` are skipped. Nothing has looked at the pages. "
    f"Install Chromium, or name one with {SETTING}=/path/to/chromium, and run the tests again."
)


def find_chromium(*, whole: bool = False) -> str | None:
    """The path of a browser that starts, or None; `whole`: if possible one that people use."""
    named = os.environ.get(SETTING)
    if named:
        return None if named == "none" else named
    return next((path for path in candidates(whole) if starts(path)), None)


def candidates(whole: bool) -> Iterator[str]:
    """The system's browsers, then the one that Playwright keeps."""
    names = WHOLE + SHELL if whole else SHELL + WHOLE
    yield from (path for name in names if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def starts(path: str) -> bool:
    """False for a stub that only says where to get the browser, as some systems install."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def install() -> None:
    """Try the system's package, then Playwright's own download; failures only leave no browser."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-qq", "update"], environ)
        for package in (*SHELL, "chromium"):
            if not find_chromium():
                words = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", package]
                run(words, environ)
    if not find_chromium():
        run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))


def run(command: list[str], environ: dict[str, str]) -> None:
    """Quiet unless it fails: then the last lines, for the person who wonders why."""
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {command[0]} did not run: {type(error).__name__}")
        return
    if done.returncode:
        print(f"  {' '.join(command[:3])} failed:", *done.stderr.splitlines()[-3:], sep="\n    ")


def main() -> None:
    chromium = find_chromium()
    if chromium is None and os.environ.get(SETTING) != "none":
        print("No Chromium found for the browser tests; installing one (this takes a minute).")
        install()
        chromium = find_chromium()
    print(f"Browser tests use {chromium}" if chromium else MISSING)


if __name__ == "__main__":
    main()
