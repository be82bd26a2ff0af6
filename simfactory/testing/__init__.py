"""Shipped conformance suites and builders of small scenes: import what you need from the modules.

`simfactory.testing.specs` builds scene specs; `simfactory.testing.simulator` holds `SimulatorContract`. The suites
need pytest, the builders do not.
"""

__all__: list[str] = []
