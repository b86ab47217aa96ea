"""Documentation from the database: everything has a comment, and the pages have every comment."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from warehouse.cli import cli
from warehouse.describe import Function, Relation, Schema, markdown, read_schemas, undescribed
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import connect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
AGAIN = (
    "docs/tables.md is not what the migrations make of it; in a migrated database: "
    "g60 warehouse describe > docs/tables.md"
)


def test_every_table_view_and_column_is_described_and_on_the_page(database: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        schemas = read_schemas(connection)
    assert {"ingest", "registry", "stats", "energy", "indicator", "warehouse"} <= {schema.name for schema in schemas}
    assert list(undescribed(schemas)) == []
    result = CliRunner().invoke(cli, ["describe", "--database", database])
    assert result.exit_code == 0, result.output
    page = result.output
    for schema in schemas:
        assert f"\n## {schema.name}\n" in page
        for relation in schema.relations:
            assert f"\n### {schema.name}.{relation.name} ({relation.kind})\n" in page
            assert " ".join(relation.comment.split()).replace("|", "\\|") in page
            for column in relation.columns:
                assert f"| {' '.join(column.comment.split())} |".replace("|", "\\|")[2:-2] in page
        for function in schema.functions:
            assert f"`{function.name}({function.arguments})`" in page


def test_the_page_in_the_repository_is_that_of_this_version(database: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        page = markdown(read_schemas(connection))
    # Without the thousands of lines of a diff: what to do is the same whatever differs.
    current = PAGE.is_file() and PAGE.read_text("utf-8") == page
    assert current, AGAIN


def test_both_flavours_give_the_same_page(database: str, timescale_database: str) -> None:
    pages = []
    for dsn, flavour in ((database, Flavour.PLAIN), (timescale_database, Flavour.TIMESCALE)):
        with connect(dsn, application="test") as connection:
            migrate(connection, flavour)
            pages.append(markdown(read_schemas(connection)).splitlines())
    assert sorted(set(pages[0]) ^ set(pages[1])) == []
    assert pages[0] == pages[1]


def test_partitions_and_extensions_are_no_tables_of_ours(database: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        before = markdown(read_schemas(connection))
        connection.execute("SELECT ingest.ensure_month('2026-11-01')")
        assert markdown(read_schemas(connection)) == before
    assert "gbt_" not in before


def test_what_has_no_comment_is_named() -> None:
    bare = Schema("s", "", (Relation("t", "table", "", (), ()),), (Function("f", "", "int", ""),))
    assert list(undescribed((bare,))) == ["s", "s.t", "s.f()"]
