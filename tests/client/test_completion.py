"""Shells complete the names of subcommands and their options."""

import os
import subprocess
import sys

import pytest

CODE = "import sys; sys.argv[0] = 'simfactory'; from simfactory.cli import main; main()"


def run(*arguments, **environment):
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CODE, *arguments]
    process = subprocess.run(
        command, env=os.environ | paths | environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def completed(words):
    count = str(len(words.split(" ")) - 1)
    return run(_SIMFACTORY_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count).split()


def test_bash_completes_subcommands():
    assert {"generate", "inspect", "verify", "spec"} <= set(completed("simfactory "))
    assert completed("simfactory insp") == ["inspect"]
    assert completed("simfactory spec sam") == ["sample"]
    assert "--split" in completed("simfactory inspect --")


def test_completion_is_offered_by_the_whole_command_alone():
    assert "--install-completion" in run("--help")
    assert "--install-completion" not in run("inspect", "--help")
    assert "complete_bash" in run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")


def test_subcommand_that_cannot_be_loaded_disturbs_no_other(monkeypatch, capsys):
    from typer.testing import CliRunner

    from simfactory import cli

    class Entry:
        name = "broken"

        def load(self):
            raise ImportError("No module named 'there'")

    monkeypatch.setattr(cli, "entry_points", lambda **wanted: [Entry()])
    listing = CliRunner().invoke(cli.app, ["--help"])
    assert listing.exit_code == 0
    assert "Not available here: No module named 'there'." in listing.stdout
    monkeypatch.setattr("sys.argv", ["simfactory", "broken", "--flag", "x"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "error: `simfactory broken` cannot run here: No module named 'there'; pip install" in capsys.readouterr().err
