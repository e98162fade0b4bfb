"""The administrators' page of users: roles, rights, queues, links and sessions."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.accounts import Account, AccountProblem, Fields
from app.audit import Deed
from app.rights import BY_DEFAULT, Principal, Right, Role, effective
from app.sentences import wording
from app.tables import Job, nothing
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import access_of, along, note, require_admin
from app.web.pages import render
from app.web.parts import parts_of

PEOPLE = (Role.ADMIN, Role.SUPERVISOR, Role.VIEWER)


async def users_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: str) -> Response:
    access = access_of(request)
    accounts = access.accounts.all()
    context = {"problem": "", "done": "", "link": "", **said}
    return render(
        request,
        "users.html",
        status,
        accounts=accounts,
        rights={each.user_id: effective(each.role, each.rights) for each in accounts},
        sessions={each.user_id: access.sessions.of(each.user_id) for each in accounts},
        roles=PEOPLE,
        all_rights=[right for right in Right if right is not Right.ADMINISTER],
        defaults=BY_DEFAULT,
        **context,
    )


async def change_users(request: Request) -> Response:
    """What `do` names, with the user `username`; without `do` the user is saved."""
    admin = await require_admin(request, to_change=True)
    form = await form_of(request)
    actions = {
        "": save,
        "add": add,
        "link": make_link,
        "end": end_sessions,
        "password": set_password,
    }
    action = actions.get(form.one("do"))
    if action is None:
        raise FormProblem("There is no such thing to do.")
    try:
        return await action(request, admin, form)
    except AccountProblem as problem:
        status = 409 if problem.field == "role" else 422
        return _shown(request, status, problem=wording(problem))


async def save(request: Request, admin: Principal, form: Form) -> Response:
    account = _existing(request, form)
    fields = read_fields(form, account.role)
    deed = _deed("change user", account.username, ", ".join(sorted(fields)))
    noting = along(request, admin, deed)
    await access_of(request).accounts.change(account.user_id, along=noting, **fields)
    return _shown(request, done=account.username)


async def add(request: Request, admin: Principal, form: Form) -> Response:
    """A new user. Without a password they get a link by which they choose one."""
    fields = read_fields(form, Role.VIEWER)
    role = fields.pop("role", Role.VIEWER)
    disabled = fields.pop("disabled", False)
    username, password = form.one("username").strip().lower(), form.one("password")
    noting = along(request, admin, _deed("add user", username, f"as {role.value}"))
    account = await access_of(request).accounts.create_user(
        username, role, password, disabled=disabled, along=noting, **fields
    )  # type: ignore[misc]  # role and disabled are out
    if password:
        return _shown(request, done=account.username)
    return _shown(request, done=account.username, link=await _link(request, account))


def read_fields(form: Form, role: Role) -> Fields:
    """What the form says of an account, and nothing that it does not say."""
    fields = Fields()
    if "name" in form:
        fields["name"] = form.one("name").strip()
    if "extension" in form:
        fields["extension"] = form.one("extension").strip()
    if "language" in form:
        fields["language"] = form.one("language")
    if "role" in form:
        fields["role"] = _role(form.one("role"))
    if "disabled" in form:
        fields["disabled"] = form.one("disabled") == "1"
    return _with_scope(fields, form)


def _with_scope(fields: Fields, form: Form) -> Fields:
    """Checkboxes that are not ticked are not sent, so a marker says that they were on the form."""
    if form.one("scope") == "all":
        fields["queues"] = None
    elif form.one("scope") == "some":
        fields["queues"] = frozenset(queues_in(form.one("queues")))
    if form.one("which_rights") == "role":
        fields["rights"] = None
    elif form.one("which_rights") == "own":
        fields["rights"] = frozenset(_right(text) for text in form.many("rights"))
    return fields


def queues_in(text: str) -> list[str]:
    """Queues as typed, with commas or line ends between them. Raises FormProblem."""
    names = [name.strip() for name in text.replace("\n", ",").split(",")]
    kept = [name for name in names if name]
    if any(len(name) > 64 or not name.isprintable() for name in kept):
        raise FormProblem("A queue has 1 to 64 printable characters.")
    return kept


def _role(text: str) -> Role:
    if text not in {role.value for role in PEOPLE}:
        raise FormProblem("The role is admin, supervisor or viewer.")
    return Role(text)


def _right(text: str) -> Right:
    if text not in {right.value for right in Right}:
        raise FormProblem("There is no such right.")
    return Right(text)


async def make_link(request: Request, admin: Principal, form: Form) -> Response:
    """A one-time link by which this user chooses a (new) password."""
    account = _existing(request, form)
    noting = along(request, admin, _deed("make sign-in link", account.username))
    link = await _link(request, account, noting)
    return _shown(request, done=account.username, link=link)


async def _link(request: Request, account: Account, noting: Job = nothing) -> str:
    secret = await access_of(request).links.for_user(account.user_id, noting)
    return f"{parts_of(request).settings.public_url}/setup/{secret}"


async def set_password(request: Request, admin: Principal, form: Form) -> Response:
    account = _existing(request, form)
    noting = along(request, admin, _deed("set password", account.username))
    await access_of(request).accounts.set_password(account.user_id, form.one("password"), noting)
    return _shown(request, done=account.username)


async def end_sessions(request: Request, admin: Principal, form: Form) -> Response:
    """Sign this user out everywhere, or one of their browsers."""
    account, sessions = _existing(request, form), access_of(request).sessions
    wanted = form.one("session")
    mine = [session.key for session in sessions.of(account.user_id)]
    await note(request, admin, _deed("end sessions", account.username))
    await sessions.end([key for key in mine if wanted in ("", key)])
    return _shown(request, done=account.username)


def _existing(request: Request, form: Form) -> Account:
    account = access_of(request).accounts.named(form.one("username"))
    if account is None:
        raise AccountProblem("There is no such user.", "username")
    return account


def _deed(action: str, username: str, what: str = "") -> Deed:
    return Deed(action, reason=f"{username}: {what}" if what else username)


ROUTES: list[BaseRoute] = [
    Route("/admin/users", users_page, methods=["GET"]),
    Route("/admin/users", change_users, methods=["POST"]),
]
