"""`steelyard schema` prints one JSON document."""

from __future__ import annotations

import json

from click.testing import CliRunner

from steelyard.cli.schema import command


def test_the_schema_is_json_and_describes_the_study_file() -> None:
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    schema = json.loads(result.output)
    assert schema["title"] == "Steelyard study file"
    assert {"data", "task", "use", "candidates"} <= set(schema["properties"])
