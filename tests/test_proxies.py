"""Pitwall behind the proxies that are installed here, with the files in `deploy/`."""

import pytest

from tests.chaos.proxies import FRONTS, installed, try_out


@pytest.mark.parametrize("name", FRONTS)
def test_everything_works_behind_a_proxy(name, tmp_path_factory):
    if name not in installed():
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("proxy")
    # nginx's workers run as somebody else.
    folder.chmod(0o755)

    found = try_out(name, folder)

    assert [what for what, holds in found.items() if not holds] == []
