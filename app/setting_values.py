"""How the texts of settings are read: one function per kind; ValueError says what is expected."""

import os
import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.log.address import SCHEME, Address

LANGUAGES = ("en", "vi")
TEXT, JSON = LOG_FORMATS = ("text", "json")
BEGINNING = re.compile(r"\+?[0-9]{1,15}", re.ASCII)
HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ValueError("a port number from 0 to 65535 is expected")
    return int(text)


def days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 366:
        raise ValueError("a number of days from 1 to 366 is expected")
    return int(text)


def agents(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise ValueError("a number of agents from 1 to 100000 is expected")
    return int(text)


def reasons(text: str) -> tuple[str, ...]:
    """Texts apart by semicolons, each short enough for a list and for the audit."""
    found = tuple(reason.strip() for reason in text.split(";") if reason.strip())
    if not found or any(len(one) > 60 or not one.isprintable() for one in found) or len(found) > 30:
        raise ValueError("1 to 30 short reasons like Training; Quality; Complaint are expected")
    return found


def kept(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 3660:
        raise ValueError("a number of days from 1 to 3660 is expected")
    return int(text)


def log(text: str) -> str:
    if text.startswith(SCHEME):
        Address.parse(text)
    elif text != "memory:" and not (text.startswith("sqlite:") and len(text) > len("sqlite:")):
        raise ValueError("sqlite:PATH, memory:, or one or three servers nats://A,B,C are expected")
    return text


def yes(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("yes or no is expected")
    return text == "yes"


def log_format(text: str) -> str:
    if text not in LOG_FORMATS:
        raise ValueError("text or json is expected")
    return text


def url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("an address like https://pbx.example.com is expected")
    return text.rstrip("/")


def pbx(text: str) -> str:
    """Not where no exchange is but a cloud machine's secrets are; redirects are never followed."""
    parts = urlsplit(url(text))
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and # is expected")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return text.rstrip("/")
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValueError("the address of an exchange is expected; there can be none at this one")
    return text.rstrip("/")


def issuer(text: str) -> str:
    parts = urlsplit(url(text))
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("an https address is expected: it decides who may sign in")
    return text.rstrip("/")


def hosts(text: str) -> tuple[str, ...]:
    """Hosts in lower case, each with its port where that is not the usual one."""
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(HOST.fullmatch(host) for host in hosts):
        raise ValueError("hosts like pbx.example.com, 192.0.2.7:8443 are expected")
    return hosts


def beginnings(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found or not all(BEGINNING.fullmatch(each) for each in found):
        raise ValueError("beginnings of numbers like 0, +84, 1800 are expected")
    return found


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone like Asia/Ho_Chi_Minh is expected") from None


def system_zone() -> ZoneInfo:
    """The machine's zone where it has a name; UTC else."""
    named = os.environ.get("TZ", "").lstrip(":")
    link = Path("/etc/localtime")
    if not named and link.is_symlink():
        named = str(link.resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def time_of_day(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError("a time of day like 06:00 is expected") from None


def language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError("en or vi is expected")
    return text


def targets(text: str) -> tuple[tuple[str, int], ...]:
    given = [part.partition("=") for part in text.replace(",", " ").split()]
    known = {"waiting", "level", "free", "callbacks"}
    if not all(
        name in known and number.isascii() and number.isdigit() for name, _, number in given
    ):
        raise ValueError("numbers like waiting=5 level=80 free=1 callbacks=0 are expected")
    return tuple((name, int(number)) for name, _, number in given)


def webhook_token(text: str) -> str:
    if len(text) < 16 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise ValueError("at least 16 letters, digits, - or _ are expected")
    return text


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(","))
    except ValueError:
        raise ValueError("networks like 192.0.2.0/24, 2001:db8::/32 are expected") from None


def secret_file(text: str) -> str:
    try:
        return Path(text).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("a readable file that holds the key is expected") from None
