"""The sites of an installation: one file NAME.env each, with the variables that are the site's own.

All files are read before any of them counts: a mistake is told in words, with its file and line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from app.settings import PROCESS_WIDE, VARIABLES, Settings, SettingsError

ENDING = ".env"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
LARGEST = 64 * 1024
ADDRESS = "PITWALL_PUBLIC_URL"
# What opens a site must open no other.
OWN = ("PITWALL_WEBHOOK_TOKEN", "PITWALL_API_TOKEN")
OF_A_SITE = frozenset(variable.name for variable in VARIABLES) - PROCESS_WIDE

Sign = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One file as it was read: {variable: (its value, its line)}."""

    path: Path
    lines: Mapping[str, tuple[str, int]]

    def at(self, variable: str) -> str:
        """Where the variable stands, for a complaint."""
        return f"{self.path}, line {self.lines[variable][1]}"

    def value(self, variable: str) -> str:
        return self.lines[variable][0] if variable in self.lines else ""


def read_sites(installation: Settings) -> dict[str, Settings]:
    """The settings of every site by its name. Raises SettingsError."""
    files = {path.stem: read_file(path) for path in _paths(Path(installation.sites))}
    sites = {name: _settings(installation, name, file) for name, file in files.items()}
    _ensure_apart(files, sites)
    return sites


def site_named(installation: Settings, name: str) -> Settings:
    """The settings of one site, for a command. Raises SettingsError."""
    sites = read_sites(installation)
    if name not in sites:
        raise SettingsError(f"{installation.sites} has no site '{name}': {', '.join(sites)}.")
    return sites[name]


def refuse_beside_sites(environ: Mapping[str, str]) -> None:
    """What belongs to a site can't be said for all of them. Raises SettingsError."""
    for name in sorted(OF_A_SITE & environ.keys()):
        if environ[name].strip():
            words = f"{name} belongs to a site: with PITWALL_SITES, write it into the site's file."
            raise SettingsError(words, name)


def host_of(settings: Settings) -> str:
    """The host by which the site is reached, in lower case."""
    return (urlsplit(settings.public_url).hostname or "").rstrip(".").lower()


def sign_of(folder: str) -> Sign:
    """Changes with every change of a site's file; cheap."""
    try:
        stats = [(path.name, path.stat()) for path in sorted(Path(folder).glob(f"*{ENDING}"))]
    except OSError:
        return ()
    return tuple((name, at.st_ino, at.st_mtime_ns, at.st_size) for name, at in stats)


def _paths(folder: Path) -> list[Path]:
    paths = sorted(folder.glob(f"*{ENDING}"))
    if not paths:
        raise SettingsError(f"PITWALL_SITES: {folder} has no file NAME{ENDING}, so no site.")
    for path in paths:
        if not NAME.fullmatch(path.stem):
            raise SettingsError(
                f"{path}: the name of a site is 1 to 40 small letters, digits and hyphens."
            )
    return paths


def read_file(path: Path) -> SiteFile:
    """Lines of VARIABLE=value, empty ones, and comments after #. Raises SettingsError."""
    try:
        if path.stat().st_size > LARGEST:
            raise SettingsError(f"{path} is larger than {LARGEST} bytes.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not in UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}.") from None
    lines: dict[str, tuple[str, int]] = {}
    for number, variable, value in _assignments(path, text):
        if variable in lines:
            raise SettingsError(f"{path}, line {number}: {variable} is there a second time.")
        lines[variable] = (value, number)
    return SiteFile(path, lines)


def _assignments(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        variable, equals, value = line.strip().partition("=")
        variable = variable.strip()
        if not variable or variable.startswith("#"):
            continue
        if not equals:
            raise SettingsError(f"{path}, line {number}: VARIABLE=value is expected.")
        if variable in PROCESS_WIDE:
            raise SettingsError(
                f"{path}, line {number}: {variable} belongs to the installation, not to a site."
            )
        if variable not in OF_A_SITE:
            raise SettingsError(
                f"{path}, line {number}: {variable[:60]} is no setting of a site; is it misspelt?"
            )
        yield number, variable, _unquoted(value.strip())


def _unquoted(value: str) -> str:
    """As service managers read such files."""
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _settings(installation: Settings, name: str, file: SiteFile) -> Settings:
    if not file.value(ADDRESS):
        raise SettingsError(f"{file.path}: {ADDRESS} is missing: by what address is it reached?")
    try:
        read = Settings.from_env({variable: value for variable, (value, _) in file.lines.items()})
    except SettingsError as error:
        raise SettingsError(f"{file.at(error.variable)}: {error}", error.variable) from None
    if not host_of(read).isascii():
        raise SettingsError(f"{file.at(ADDRESS)}: {ADDRESS}: a host in ASCII (xn--…) is expected")
    return replace(
        read,
        site=name,
        host=installation.host,
        port=installation.port,
        log=_log_of(installation, name),
        data=str(PurePath(installation.data, "sites", name)),
        trusted_proxy=installation.trusted_proxy,
    )


def _log_of(installation: Settings, name: str) -> str:
    """A folder of its own, because backups and damaged files lie beside a database."""
    if not installation.on_disk:
        return installation.log
    return f"sqlite:{Path(installation.database).parent / 'sites' / name / 'pitwall.db'}"


def _ensure_apart(files: Mapping[str, SiteFile], sites: Mapping[str, Settings]) -> None:
    """No two sites have the same host or let in by the same token. Raises SettingsError."""
    hosts: dict[str, str] = {}
    for name, settings in sites.items():
        other = hosts.setdefault(host_of(settings), name)
        if other != name:
            raise SettingsError(
                f"{files[name].at(ADDRESS)}: {host_of(settings)} is the host of "
                f"{files[other].path} already; each site needs its own."
            )
    for variable in OWN:
        _ensure_own(variable, files)


def _ensure_own(variable: str, files: Mapping[str, SiteFile]) -> None:
    owners: dict[str, str] = {}
    for name, file in files.items():
        if not (value := file.value(variable)):
            continue
        other = owners.setdefault(value, name)
        if other != name:
            raise SettingsError(
                f"{file.at(variable)}: {files[other].path} has the same {variable}; "
                "each site needs its own."
            )
