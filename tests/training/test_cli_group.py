"""The command finds its subcommands, and says in one line what is not there."""

import pkgutil
import subprocess
import sys

from training import cli


def told(*arguments):
    return subprocess.run([sys.executable, "-m", "training", *arguments], capture_output=True, text=True, timeout=60)


def test_help_lists_every_file_of_the_folder():
    answer = told("--help")
    assert answer.returncode == 0
    for module in pkgutil.iter_modules(cli.__path__):
        assert (f"\n  {module.name} " in answer.stdout) != module.name.startswith("_")


def test_help_imports_no_torch():
    code = (
        "import sys; from training.cli import main; sys.argv[1:] = ['--help']\ntry: main()\nexcept SystemExit: pass\n"
    )
    check = "print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, timeout=60)
    assert answer.stdout.splitlines()[-1] == "False", answer.stderr
