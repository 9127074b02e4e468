"""How fast the impact of a new version of an expert list is known, of 100,000 decided rows.

Floor: the same rows read and parsed, and judged by nobody.
"""

import tempfile
import time
from pathlib import Path

import orjson

import labeling.demo
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from labeling.experts import publish
from labeling.impact import plans_of, weigh, weighed
from tests.bench.figures import Figure, report
from tests.factories import a_project
from tests.many_rows import add_decided

ROWS = 100_000
DEMO = Path(labeling.demo.__file__).parent
ASKED = (
    ("数据分析专家", "查询近七天的流量和订单"),
    ("策略推荐专家", "圈选近九十天的老客并发放优惠券"),
    ("策略推荐专家", "推荐新的套餐定价"),
    ("诊断专家", "找出转化下降的原因"),
)


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder) / "bench.db"), is_synced=False)
        upgrade(database)
        who = a_project(database)
        publish(database, who, (DEMO / "experts.merchant.v1.json").read_bytes(), name="demo")
        publish(database, who, (DEMO / "experts.merchant.v2.json").read_bytes(), name="demo")
        publish(database, who, (DEMO / "experts.merchant.v1.json").read_bytes(), name="demo")
        add_decided(database, who, ROWS, *ASKED, size=2)
        what = weighed(database, who, "demo@1", "demo@2")
        began = time.perf_counter()
        with database.reading() as session:
            pages = plans_of(session, who.project_id, what.version_id)
            read = sum(len([orjson.loads(row.plan or "{}") for row in page]) for page in pages)
        floor = read / (time.perf_counter() - began)
        began = time.perf_counter()
        found = weigh(database, who, what)
        took = time.perf_counter() - began
        database.close()
    if read != ROWS or found.rows.total != ROWS:
        raise SystemExit(f"{read:,} rows read, {found.rows.total:,} weighed")
    name = f"weighing {ROWS:,} plans of two steps ({found.rows.touched:,} touched)"
    target = "≥ 5,000 (100,000 in 20 s)"
    report(
        "list_impact",
        [Figure(name, ROWS / took, "rows/s", target, floor, "read and parsed only")],
    )


if __name__ == "__main__":
    main()
