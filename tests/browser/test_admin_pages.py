"""What an admin does in a browser: publish, compare, import, look, and manage people."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from labeling import accounts, experts
from schemas.people import Actor
from tests.browser.conftest import ServedApp

PASSWORD = "a long password"
LIST = {
    "name": "merchant",
    "experts": [
        {"name": "数据分析专家", "description": "查询并分析经营数据"},
        {"name": "诊断专家", "description": "诊断经营问题"},
    ],
}
HOSTILE = "<img src=x onerror=\"document.title='hit'\">${document.title='hit'}"


def _prepare(served_app: ServedApp) -> Actor:
    database = served_app.database()
    admin = accounts.command_line_actor(database, "main")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    experts.publish(database, admin, LIST)  # pyright: ignore[reportArgumentType]
    database.close()
    return admin


def _sixty_rows_and_a_bad_one(folder: Path) -> Path:
    rows = [{"编号": f"q{n}", "问题": f"第 {n} 个问题 {HOSTILE}"} for n in range(60)]
    rows.append({"编号": "bad", "问题": ""})
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_two_versions_are_published_and_compared_side_by_side(
    served_app: ServedApp,
    open_as: Callable[..., Page],
    shot: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    _prepare(served_app)
    newer = {
        "name": "merchant",
        "experts": [
            {"name": "数据分析专家", "description": f"查询、分析并解释经营数据 {HOSTILE}"},
            {"name": "活动报名专家", "description": "报名平台活动"},
        ],
    }
    file = tmp_path / "merchant.json"
    file.write_text(json.dumps(newer, ensure_ascii=False), "utf-8")
    page = open_as("Li", PASSWORD, "/en/experts", width=1280, height=800)
    page.get_by_role("tab", name="From a file").click()
    page.locator("#experts-file input[type=file]").set_input_files(str(file))
    page.get_by_label("What changed, for people").last.fill("v2")
    page.locator("#experts-publish-file").click()
    expect(page.locator(".pw-notice-card")).to_contain_text("merchant@2")
    page.get_by_role("tab", name="Compare and move").click()
    comparison = page.locator("#experts-comparison")
    expect(comparison.get_by_text("new", exact=True)).to_be_visible()
    expect(comparison.get_by_text("retired", exact=True)).to_be_visible()
    expect(comparison.locator("ins")).to_contain_text(HOSTILE)
    shot(page, "experts-compare-en")
    page.get_by_role("tab", name="Versions").click()
    page.locator("#experts-versions tr.pw-pick").first.click()
    expect(page.locator("#experts-list")).to_contain_text(HOSTILE)
    shot(page, "experts-versions-en")
    page.get_by_role("tab", name="Draft").click()
    page.locator("#draft-open").click()
    expect(page.locator(".ld-expert textarea").first).to_have_value(
        newer["experts"][0]["description"]
    )
    assert page.title() != "hit"
    assert page.locator("#experts-tabs img").count() == 0


def test_a_file_that_holds_no_list_is_refused_in_words(
    served_app: ServedApp, open_as: Callable[..., Page], tmp_path: Path
) -> None:
    _prepare(served_app)
    file = tmp_path / "merchant.json"
    file.write_text("{ no list", "utf-8")
    page = open_as("Li", PASSWORD, "/en/experts")
    page.get_by_role("tab", name="From a file").click()
    page.locator("#experts-file input[type=file]").set_input_files(str(file))
    page.locator("#experts-publish-file").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_file_is_previewed_mapped_imported_and_found(
    served_app: ServedApp,
    open_as: Callable[..., Page],
    shot: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    _prepare(served_app)
    path = _sixty_rows_and_a_bad_one(tmp_path)
    page = open_as("Li", PASSWORD, "/zh/queries", width=1280, height=800)
    page.get_by_role("tab", name="导入").click()
    page.locator("#queries-file input[type=file]").set_input_files(str(path))
    expect(page.locator("#queries-head tbody tr")).to_have_count(20)
    expect(page.locator("#queries-head")).to_contain_text("第 3 个问题")
    for field, column in (("id", "编号"), ("query", "问题")):
        page.locator(f"#queries-map-{field} input").click()
        options = page.locator(f"#queries-map-{field} [role=option]")
        options.filter(has_text=column).click()
    shot(page, "import-preview-zh")
    page.locator("#queries-start-import").click()
    done = page.locator("#queries-imports tr", has_text="rows.jsonl")
    expect(done).to_contain_text("完成")
    expect(done.locator("td").nth(2)).to_have_text("60")
    expect(done.locator("td").nth(6)).to_have_text("1")
    with page.expect_download() as download:
        done.get_by_role("link", name="被拒绝的行").click()
    assert json.loads(Path(download.value.path()).read_text("utf-8"))["line"] == 61
    shot(page, "import-done-zh")

    page.goto(f"{served_app.url}/zh/queries")
    expect(page.locator("#queries-rows tr.pw-pick")).to_have_count(50)
    page.locator("#queries-more").click()
    expect(page.locator("#queries-rows tr.pw-pick")).to_have_count(10)
    page.locator("#queries-wanted input, #queries-wanted textarea").fill("q7")
    page.locator("#queries-find").click()
    expect(page.locator("#queries-rows tr.pw-pick")).to_have_count(1)
    page.locator("#queries-rows tr.pw-pick").click()
    expect(page.locator("#queries-detail h2")).to_have_text(f"第 7 个问题 {HOSTILE}")
    assert "query=" in page.url
    page.reload()
    expect(page.locator("#queries-detail h2")).to_have_text(f"第 7 个问题 {HOSTILE}")
    assert page.title() != "hit"
    shot(page, "queries-detail-zh")


def test_people_are_added_given_roles_and_deactivated(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    _prepare(served_app)
    page = open_as("Li", PASSWORD, "/en/team", width=1920, height=1080, dark=True)
    people = page.locator("#team-people")
    page.locator("#team-name input, #team-name textarea").fill("Wang")
    page.locator("#team-password input, #team-password textarea").fill(PASSWORD)
    page.locator("#team-add").click()
    expect(people.locator("tr", has_text="Wang")).to_contain_text("annotator")
    page.locator("#team-role input").click()
    page.get_by_role("option", name="reviewer", exact=True).click()
    page.locator("#team-set-role").click()
    expect(people.locator("tr", has_text="Wang")).to_contain_text("reviewer")
    page.locator("#team-deactivate").click()
    expect(people.locator("tr", has_text="Wang")).to_contain_text("deactivated")
    people.locator("tr", has_text="Li").click()
    expect(page.locator("#team-person h2")).to_have_text("Li")
    page.locator("#team-deactivate").click()
    expect(page.get_by_role("alert")).to_contain_text("last admin")
    page.locator("#team-overlap input").fill("2")
    page.locator("#team-save").click()
    expect(page.locator(".pw-notice-card", has_text="Saved")).to_be_visible()
    shot(page, "team-en-dark-1920")
