"""The gate: nobody, foreigners and the wrong role do not get through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labeling import accounts
from labeling.ui.gate import BODY_MAX_BYTES
from labeling.ui.session import COOKIE
from tests.doors import PASSWORD, Door, add_team, opened_door

HTML = {"accept": "text/html"}
PAGES = (
    *("label", "review", "queries", "synthesis", "experts", "datasets", "training"),
    *("evaluation", "planners", "quality", "team"),
)


@pytest.fixture(scope="module")
def empty_door(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Door]:
    """One application for this module; nobody can sign in yet."""
    with opened_door(tmp_path_factory.mktemp("door") / "home", migrated_sqlite) as door:
        yield door


@pytest.fixture(scope="module")
def set_up(empty_door: Door) -> list[int]:
    """What the browser saw while the first admin was made through the form."""
    client, link = empty_door.client, empty_door.setup_link
    form = {"token": link, "name": "First", "password": PASSWORD, "again": "something else"}
    seen = [client.get(f"/setup?token={link}").status_code]
    seen.append(client.post("/setup", data=form).status_code)
    seen.append(client.post("/setup", data={**form, "again": PASSWORD}).status_code)
    seen.append(client.get("/me").status_code)
    empty_door.tokens["admin"] = client.cookies[COOKIE]
    client.cookies.clear()
    seen.append(client.post("/setup", data={**form, "again": PASSWORD}).status_code)
    return seen


@pytest.fixture
def door(empty_door: Door, set_up: list[int]) -> Door:
    """The application with somebody in each role; nobody is signed in."""
    if "annotator" not in empty_door.tokens:
        add_team(empty_door)
    empty_door.be(None)
    return empty_door


def test_the_set_up_link_makes_the_first_admin_in_a_browser_once(set_up: list[int]) -> None:
    assert set_up == [200, 400, 303, 200, 403]


def test_nobody_reaches_anything_but_the_door(door: Door) -> None:
    client = door.client
    for path in (
        "/me",
        "/zh/config",
        "/zh/theme.css",
        "/en/gradio_api/info",
        "/en/gradio_api/file=/etc/passwd",
        "/en/gradio_api/heartbeat/x",
        "/download/bundle/x",
        "/download/comparison/x/y.md",
        "/docs",
        "/openapi.json",
    ):
        assert client.get(path).status_code == 401, path
    for path in (
        "/zh/gradio_api/run/predict",
        "/zh/gradio_api/queue/join",
        "/zh/gradio_api/upload",
        "/zh/gradio_api/component_server",
        "/project",
        "/preferences",
        "/logout",
    ):
        assert client.post(path, json={}).status_code == 401, path
    for path in ("/login", "/health"):
        assert client.get(path).status_code == 200, path
    assert client.get("/setup?token=x").headers["location"].startswith("/login")


def test_a_page_without_a_session_leads_to_the_door_and_back(door: Door) -> None:
    answer = door.client.get("/zh/queries?query=7", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/zh/queries%3Fquery%3D7"
    form = {"name": "annotator", "password": PASSWORD, "next": "/zh/queries?query=7"}
    signed_in = door.client.post("/login", data=form)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/zh/queries?query=7")
    cookie = signed_in.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    "elsewhere", ["//evil.test", "https://evil.test/x", "/\\evil.test", "javascript:x", "x\ny"]
)
def test_signing_in_never_leads_elsewhere(door: Door, elsewhere: str) -> None:
    form = {"name": "annotator", "password": PASSWORD, "next": elsewhere}
    answer = door.client.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://planwright.test.evil"])
def test_a_foreign_origin_is_refused_whoever_asks(door: Door, origin: str) -> None:
    client = door.be("admin")
    for method, path in (
        ("POST", "/zh/gradio_api/run/predict"),
        ("POST", "/login"),
        ("POST", "/logout"),
        ("GET", "/me"),
    ):
        answer = client.request(method, path, headers={"origin": origin})
        assert answer.status_code == 403, path
        assert "access-control-allow-origin" not in answer.headers
    assert client.get("/me", headers={"origin": "http://planwright.test"}).status_code == 200


def test_every_answer_forbids_foreign_hosts_and_frames(door: Door) -> None:
    client = door.be("admin")
    for path in ("/login", "/en/queries", "/me", "/assets/early.js", "/nothing"):
        headers = client.get(path, headers=HTML).headers
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert client.get("/me").headers["cache-control"] == "no-store"


def test_a_page_comes_with_its_header_language_and_no_foreign_address(door: Door) -> None:
    client = door.be("reviewer")
    page = client.get("/zh/queries", headers=HTML)
    assert page.status_code == 200
    assert '<html lang="zh-CN"' in page.text
    assert '<a href="/zh/queries" aria-current="page">问题</a>' in page.text
    assert "reviewer · 验收员" in page.text
    assert "og:image" not in page.text
    assert client.get("/en/queries", headers=HTML).text.count("Queries</a>") == 1


@pytest.mark.parametrize(
    ("role", "own"),
    [
        ("annotator", {"label"}),
        ("reviewer", {"label", "review", "queries", "experts", "planners", "quality"}),
        ("admin", set(PAGES)),
    ],
)
def test_a_role_sees_only_its_own_pages(door: Door, role: str, own: set[str]) -> None:
    client = door.be(role)
    for page in PAGES:
        status = client.get(f"/en/{page}", headers=HTML).status_code
        assert status == (200 if page in own else 403), page
    home = client.get("/en/label", headers=HTML).text
    assert {page for page in PAGES if f'<a href="/en/{page}"' in home} == own
    assert client.get("/en/nothing", headers=HTML).status_code == 404


def test_of_gradio_only_what_the_pages_use_is_open(door: Door) -> None:
    client = door.be("admin")
    for path in (
        "queue/join",
        "queue/data",
        "call/predict",
        "component_server",
        "file=/etc/passwd",
        "stream/x",
        "cancel",
        "reset",
        "heartbeat/x",
        "dev/reload",
    ):
        assert client.get(f"/en/gradio_api/{path}").status_code == 404, path
        assert client.post(f"/en/gradio_api/{path}", json={}).status_code == 404, path


@pytest.mark.parametrize(
    ("role", "status"), [("annotator", 403), ("reviewer", 403), ("admin", 200)]
)
def test_only_admins_upload(door: Door, role: str, status: int) -> None:
    files = {"files": ("a.jsonl", b"{}")}
    assert door.be(role).post("/en/gradio_api/upload", files=files).status_code == status


def test_a_body_without_end_is_cut_off(door: Door) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 65536 + 2):
            yield b" " * 65536

    answer = door.be("annotator").post("/en/gradio_api/run/predict", content=endless())
    assert answer.status_code in (400, 413)


def test_signing_out_ends_the_session_at_once(door: Door) -> None:
    token = accounts.sign_in(door.database, "reviewer", PASSWORD, "1.1.1.1")
    door.client.cookies.set(COOKIE, token)
    assert door.client.get("/me").status_code == 200
    assert door.client.post("/logout").headers["location"] == "/login"
    door.client.cookies.set(COOKIE, token)
    assert door.client.get("/me").status_code == 401


def test_what_was_typed_comes_back_escaped(door: Door) -> None:
    name = "<script>alert(1)</script>"
    answer = door.client.post("/login", data={"name": name, "password": "x", "next": "/"})
    assert answer.status_code == 403
    assert name not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(("role", "status"), [("annotator", 403), ("admin", 404)])
def test_a_file_that_is_not_there_is_told_in_a_sentence(door: Door, role: str, status: int) -> None:
    for path in (
        "/download/bundle/nothing",
        "/download/import-errors/nothing",
        "/download/comparison/nothing/else.csv",
    ):
        answer = door.be(role).get(path)
        assert answer.status_code == status, path
        assert "Traceback" not in answer.text
