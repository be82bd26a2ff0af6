"""What an import costs: no heavy package behind `import simfactory`, no device behind any import."""

import json
import subprocess
import sys

HEAVY = ["cv2", "newton", "pyarrow", "tensorstore", "torch", "trimesh", "warp", "zarr"]
# Imported inside functions even by the package that owns them: they take seconds.
SLOW = ["accelerate", "diffusers", "peft", "tensorboard", "transformers"]

IMPORT_LIGHT = """
import json, sys
import simfactory
print(json.dumps(sorted(set(sys.modules) & set(json.loads(sys.argv[1])))))
"""

IMPORT_ALL = """
import importlib, json, pkgutil, sys
names, slow = json.loads(sys.argv[1])
for name in names:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, prefix=f"{name}."):
        importlib.import_module(module.name)
assert not set(slow) & set(sys.modules), set(slow) & set(sys.modules)
warp = sys.modules.get("warp._src.context")
print(json.dumps(warp is not None and warp.runtime is not None))
"""


def run_python(code: str, argument: object) -> object:
    """Run code in a fresh interpreter that makes warnings errors; return what its last line says in JSON."""
    command = [sys.executable, "-W", "error", "-c", code, json.dumps(argument)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_importing_simfactory_imports_nothing_heavy():
    assert run_python(IMPORT_LIGHT, HEAVY) == []


def test_importing_any_module_starts_no_device_and_imports_nothing_slow(package_names):
    assert run_python(IMPORT_ALL, [package_names, SLOW]) is False
