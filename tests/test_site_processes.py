"""Several sites in one real process, with the requests and files of an operator."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.neighbours import written
from tests.running import ROOT, Pitwall
from tests.served import until

TOKENS = {"acme": "acme-webhook-token-0001", "beta": "beta-webhook-token-0001"}


def two_sites(folder: Path, port: int) -> dict[str, str]:
    """Their files, and the environment of a process that serves them."""
    sites = folder / "sites"
    zones = {"acme": "Asia/Ho_Chi_Minh", "beta": "America/New_York"}
    for name in TOKENS:
        written(
            sites,
            name,
            f"{name}.localhost",
            PITWALL_PUBLIC_URL=f"http://{name}.localhost:{port}",
            PITWALL_WEBHOOK_TOKEN=TOKENS[name],
            PITWALL_API_TOKEN=f"api-token-of-{name}",
            PITWALL_TIMEZONE=zones[name],
            PITWALL_LANGUAGE="vi" if name == "acme" else "en",
        )
    return {"PITWALL_SITES": str(sites), "PITWALL_WEBHOOK_TOKEN": "", "PITWALL_TIMEZONE": ""}


@pytest.fixture
def pitwall(tmp_path: Path, free_port: int) -> Iterator[Pitwall]:
    settings = two_sites(tmp_path, free_port)
    process = Pitwall(free_port, tmp_path, ("app", "serve"), **settings)
    process.start()
    yield process
    process.stop()


def get(port: int, host: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def floor(port: int, site: str) -> Any:
    token = {"Authorization": f"Bearer api-token-of-{site}"}
    return json.loads(get(port, f"{site}.localhost:{port}", "/api/v1/floor", **token)[1])


def hook(port: int, site: str, token: str, path: str) -> int:
    return get(port, f"{site}.localhost", f"/hook/{token}/api/callcenter/{path}")[0]


def test_two_sites_on_one_port_have_a_floor_a_language_and_a_token_each(pitwall: Pitwall) -> None:
    port = pitwall.port
    ring = "call_in?callid=c1&phone=0900123456&did=900&extension=101"

    assert hook(port, "acme", TOKENS["acme"], ring) == 200
    assert hook(port, "beta", TOKENS["acme"], ring) == 404

    until(lambda: [call["callid"] for call in floor(port, "acme")["calls"]] == ["c1"])
    assert floor(port, "beta")["calls"] == []
    assert 'lang="vi"' in get(port, "acme.localhost", "/login")[1]
    assert 'lang="en"' in get(port, "beta.localhost", "/login")[1]


def test_a_request_line_with_another_host_leads_nowhere_else(pitwall: Pitwall) -> None:
    port = pitwall.port
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            f"GET http://acme.localhost:{port}/api/v1/floor HTTP/1.1\r\n"
            f"Host: beta.localhost:{port}\r\nX-Forwarded-Host: acme.localhost\r\n"
            "Authorization: Bearer api-token-of-acme\r\nConnection: close\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 400 "))


def test_a_line_of_the_log_says_which_site_it_is_about(pitwall: Pitwall, tmp_path: Path) -> None:
    lines = (tmp_path / "output.txt").read_text()

    for site in TOKENS:
        assert f"INFO [{site}] app.sites.keeper: Site {site} is open." in lines


def test_both_sites_are_there_after_a_kill(pitwall: Pitwall) -> None:
    for site in TOKENS:
        assert hook(pitwall.port, site, TOKENS[site], f"call_in?callid=of-{site}&did=900") == 200

    pitwall.kill()
    pitwall.start()

    for site in TOKENS:
        calls = floor(pitwall.port, site)["calls"]
        assert [call["callid"] for call in calls] == [f"of-{site}"]


def started(folder: Path, port: int, **environ: str) -> subprocess.CompletedProcess[str]:
    settings = {**two_sites(folder, port), **environ, "PORT": str(port)}
    kept = {name: value for name, value in settings.items() if value}
    return subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={"PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}", **kept},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_start_with_a_wrong_file_is_refused_in_words(tmp_path: Path, free_port: int) -> None:
    two_sites(tmp_path, free_port)
    file = tmp_path / "sites" / "acme.env"
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "acme.env").write_text(file.read_text() + "PITWALL_LOG=memory:\n")

    ended = started(tmp_path, free_port, PITWALL_SITES=str(wrong))

    assert ended.returncode != 0
    assert f"{wrong / 'acme.env'}, line 6: PITWALL_LOG belongs to the installation" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_secrets_of_all_sites_are_kept_out_of_the_log(tmp_path: Path) -> None:
    program = (
        "import logging, sys\n"
        "from app.server import Run, greet\n"
        "from app.settings import Settings\n"
        "one, two = (Settings.from_env({'PITWALL_PBX_KEY': key}) for key in sys.argv[1:])\n"
        "run = Run(one, greet)\n"
        "run._redact([one])\n"
        "run._redact([one, two])\n"
        "logging.error('%s and %s', *sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", program, "canary-of-one", "canary-of-two"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "*** and ***" in ended.stderr
    assert "canary" not in ended.stderr
