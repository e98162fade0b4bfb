"""Which passwords are taken, that hashes are argon2, and that guessing gets slower."""

import time

import pytest

from app.access.attempts import Attempts, network
from app.access.passwords import WAITING, Passwords, PasswordsBusy, problem_with

GOOD = "seven grey herons"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "Password12345!",
        "P@ssword2026!!",
        "qwertyuiopasdf",
        "zyxwvutsrqponm",
        "passwordpassword1",
        "administrator1",
        "x" * 257,
    ],
)
def test_a_password_everybody_tries_is_refused(password):
    assert problem_with(password)


def test_a_password_made_of_the_user_name_is_refused():
    assert problem_with("heronsgate-2026", "heronsgate")


@pytest.mark.parametrize(
    "password", [GOOD, "mật khẩu của tôi đây", "🐦🦅🦉🐧🦆 birds!", "x9-Zk" * 51]
)
def test_a_long_and_rare_password_is_taken(password):
    assert problem_with(password) == ""


@pytest.mark.anyio
async def test_only_the_right_password_verifies():
    passwords = Passwords()
    stored = await passwords.hash(GOOD)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, GOOD)
    assert not await passwords.verify(stored, GOOD + " ")
    assert not await passwords.verify(None, GOOD)
    assert not await passwords.verify("not a hash", GOOD)


@pytest.mark.anyio
async def test_an_odd_password_is_hashed_like_any_other():
    passwords = Passwords(time_cost=1, memory_cost=8)
    odd = "\ud800 nul\x00 and 🐦"

    assert await passwords.verify(await passwords.hash(odd), odd)


@pytest.mark.anyio
async def test_a_name_nobody_has_takes_as_long():
    passwords = Passwords()
    stored = await passwords.hash(GOOD)
    known: list[float] = []
    unknown: list[float] = []
    for _ in range(9):
        for hashed, times in ((stored, known), (None, unknown)):
            # Of the processor: what else runs on the machine is no hint to anybody.
            began = time.process_time()
            await passwords.verify(hashed, "wrong")
            times.append(time.process_time() - began)

    assert min(unknown) == pytest.approx(min(known), rel=0.5)


@pytest.mark.anyio
async def test_too_many_sign_ins_at_once_are_sent_away():
    passwords = Passwords(time_cost=1, memory_cost=8)
    passwords._waiting = WAITING

    with pytest.raises(PasswordsBusy):
        await passwords.verify(None, GOOD)


def test_the_sixth_failure_has_to_wait_and_each_further_one_longer():
    clock = Seconds()
    attempts = Attempts(clock)
    for _ in range(5):
        assert attempts.wait_s("ann", "192.0.2.1") == 0

    waits = []
    for _ in range(12):
        wait = attempts.wait_s("ann", "192.0.2.1")
        waits.append(wait)
        clock.now += 61 if wait < 60 else wait
        attempts.wait_s("ann", "192.0.2.1")

    assert waits[0] > 0
    assert max(waits) <= 15 * 60 + 1
    assert waits[-1] > waits[0]


def test_each_failure_from_the_fifth_on_doubles_the_wait_up_to_a_quarter_of_an_hour():
    clock = Seconds()
    attempts = Attempts(clock)
    # Neighbours, so that no address has too many tries a minute.
    for number, delay in enumerate([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]):
        assert attempts.wait_s("ann", f"192.0.2.{number}") == 0
        if delay:
            clock.now += delay - 0.5
            assert attempts.wait_s("ann", "192.0.2.100") == 1
            clock.now += 0.5


def test_an_outsider_who_fails_all_day_does_not_keep_the_user_out():
    clock = Seconds()
    attempts = Attempts(clock)
    for _ in range(1000):
        clock.now += 3
        attempts.wait_s("ann", "198.51.100.7")

    assert attempts.wait_s("ann", "198.51.100.9") > 0
    assert attempts.wait_s("ann", "192.0.2.1") == 0


def test_a_success_forgives_earlier_failures():
    attempts = Attempts(Seconds())
    for _ in range(5):
        attempts.wait_s("ann", "192.0.2.1")
    attempts.succeeded("ann", "192.0.2.1")

    assert attempts.wait_s("ann", "192.0.2.1") == 0


def test_an_address_has_twenty_tries_a_minute():
    clock = Seconds()
    attempts = Attempts(clock)
    for minute in range(2):
        waits = [attempts.wait_s(f"{minute}-{number}", "192.0.2.1") for number in range(25)]
        clock.now += 61

        assert waits[:20] == [0] * 20
        assert all(waits[20:])


def test_what_is_remembered_of_guessers_is_bounded():
    attempts = Attempts(Seconds())
    for number in range(12_000):
        attempts.wait_s("ann", f"host-{number}")

    assert len(attempts._failures) <= 10_000
    assert len(attempts._minutes) <= 10_000


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_neighbours_share_a_network(address, expected):
    assert network(address) == expected
