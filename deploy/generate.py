"""Writes every generated file of the repository: ``python -m deploy.generate [--check]``.

With ``--check`` nothing is written; files that differ are named and the exit code is 1. The generators themselves
stand beside what they describe; this module only knows where their output goes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from deploy.reference import settings_page
from edge_agent.contract.schema import schemas
from edge_agent.settings import EdgeSettings
from metrics.entries import load_catalogue
from metrics.page import page
from stream.bridge.settings import BridgeSettings
from warehouse.jobs.settings import JobsSettings
from warehouse.registry.readme import readme
from warehouse.sink.settings import SinkSettings

ROOT: Final = Path(__file__).resolve().parents[1]


def generated() -> dict[Path, str]:
    """Return every generated file, relative to the repository, with the text it should have."""
    return {
        **{Path("docs/contract") / name: text for name, text in schemas().items()},
        Path("docs/configuration.md"): configuration(),
        Path("docs/indicators.md"): page(load_catalogue()),
        Path("warehouse/registry/README.md"): readme(),
    }


def configuration() -> str:
    """Return the reference of all settings files."""
    return "\n".join(
        (
            "# Configuration (配置)",
            "",
            "Made from the models that read the files; a key that does not stand here is refused. Each service reads",
            "one TOML file and says of a wrong one: file, key, what was found and what is allowed.",
            "",
            settings_page(
                "agent.toml: the edge agent (采集程序)",
                "`g60-edge run --config agent.toml`; sample: [edge_agent/sample.toml](../edge_agent/sample.toml).",
                EdgeSettings,
            ),
            settings_page(
                "bridge.toml: MQTT ⇄ Kafka (桥接)",
                "`g60 stream bridge --config bridge.toml`; sample: "
                "[stream/bridge/sample.toml](../stream/bridge/sample.toml).",
                BridgeSettings,
            ),
            settings_page(
                "sink.toml: Kafka → database (入库)",
                "`g60 warehouse sink --config sink.toml`; sample: "
                "[warehouse/sink/sample.toml](../warehouse/sink/sample.toml).",
                SinkSettings,
            ),
            settings_page(
                "jobs.toml: the jobs of the warehouse (定时任务)",
                "`g60 warehouse jobs --config jobs.toml`; sample: "
                "[warehouse/jobs/sample.toml](../warehouse/jobs/sample.toml).",
                JobsSettings,
            ),
        )
    )


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; 1 when anything differs or cannot be generated."""
    stale = [
        path
        for path, text in generated().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text("utf-8") != text
    ]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is out of date: run `make generate`\n")
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(generated()[path], "utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
