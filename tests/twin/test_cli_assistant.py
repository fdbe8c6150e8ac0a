"""``twin ask-service``."""

import json

import pytest
from typer.testing import CliRunner

from twin.cli import app

ask = CliRunner()


def test_a_question_gets_the_guide_and_json_says_the_same():
    said = ask.invoke(app, ["ask-service", "身份证掉了咋补"])
    row = json.loads(ask.invoke(app, ["ask-service", "身份证掉了咋补", "--json"]).stdout)
    assert said.exit_code == 0
    assert said.stdout.strip() == row["text"]
    assert row["found"][0]["name"] == "居民身份证证书补发"


def test_a_profile_is_pushed_to():
    said = ask.invoke(app, ["ask-service", "--age", "85"]).stdout
    assert "高龄津贴一件事" in said
    assert "满80岁" in said


@pytest.mark.parametrize(("options", "said"), [([], "there is no question"), (["--age", "900"], "an age of 900 years")])
def test_bad_input_is_one_sentence(options, said):
    done = ask.invoke(app, ["ask-service", *options])
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {said}")
