"""A site with the administrators' pages, and an administrator who is signed in."""

import pytest

from app.rights import Role
from tests.admin_site import opened


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        yield made


@pytest.fixture
async def boss(site):
    return await site.signed_in("boss", Role.ADMIN)
