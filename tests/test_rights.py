"""What each role may do, and that a right holds within its scope only."""

import pytest

from app.rights import SPYING, Principal, Right, Role, Target, effective, refusal


def test_every_role_has_its_rights():
    assert effective(Role.ADMIN, None) == set(Right)
    assert Right.ADMINISTER not in effective(Role.SUPERVISOR, None)
    assert effective(Role.SUPERVISOR, None) >= SPYING
    assert effective(Role.VIEWER, None) == set()
    assert effective(Role.WALL, set(Right)) == set()


def test_administration_comes_with_the_role_only():
    assert Right.ADMINISTER not in effective(Role.VIEWER, {Right.ADMINISTER, Right.READ_AUDIT})
    assert Right.ADMINISTER in effective(Role.ADMIN, {Right.PAUSE})
    assert Right.LISTEN not in effective(Role.ADMIN, {Right.PAUSE})


def person(role=Role.SUPERVISOR, queues=None, extension="500") -> Principal:
    return Principal(1, "Ann", role, queues, effective(role, None), extension)


@pytest.mark.parametrize(
    ("principal", "right", "target", "allowed"),
    [
        (person(), Right.LISTEN, Target(extension="101", queues=("1",)), True),
        (person(Role.VIEWER), Right.LISTEN, Target(extension="101", queues=("1",)), False),
        (person(), Right.ADMINISTER, None, False),
        (person(), Right.LISTEN, Target(extension="101", never_listen=True), False),
        (person(Role.ADMIN), Right.BARGE, Target(extension="101", never_listen=True), False),
        (person(), Right.PAUSE, Target(extension="101", never_listen=True), True),
        (person(), Right.LISTEN, Target(extension="500"), False),
        (person(queues=frozenset({"1"})), Right.PAUSE, Target(queues=("2", "1")), True),
        (person(queues=frozenset({"1"})), Right.PAUSE, Target(queues=("2",)), False),
        (person(queues=frozenset({"1"})), Right.PAUSE, Target(queues=()), False),
        (person(queues=frozenset({"1"})), Right.LISTEN, Target(queues=("1",), queue="2"), False),
        (person(queues=frozenset()), Right.PAUSE, Target(queues=("1",)), False),
    ],
)
def test_a_right_holds_within_the_scope_only(principal, right, target, allowed):
    why = refusal(principal, right, target)

    # Who asks looks whether there is a reason, so one that is no text would allow everything.
    assert isinstance(why, str)
    assert bool(why) is not allowed


def test_what_aims_at_nobody_needs_the_right_alone():
    assert refusal(person(), Right.PAUSE) == ""
