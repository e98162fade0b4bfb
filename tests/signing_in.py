"""Signs a browser in without looking at the form, which the tests of access fill in."""

from playwright.sync_api import BrowserContext

from tests.running import PASSWORD


def sign_in(visitor: BrowserContext, url: str, username: str, password: str = PASSWORD) -> None:
    """Every page of this visitor is signed in from now on; the open ones must be loaded anew."""
    answer = visitor.request.post(
        f"{url}/login",
        form={"username": username, "password": password},
        headers={"Origin": url},
        max_redirects=0,
    )
    assert answer.status == 303, f"{answer.status}: {answer.text()[:500]}"
