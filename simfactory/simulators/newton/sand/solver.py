"""Newton's material-point solver, without two steps that cost more than they tell on beds of grains."""

from typing import Any

import numpy as np
import warp as wp
from newton._src.solvers.implicit_mpm import implicit_mpm_solver_kernels as mpm
from newton._src.solvers.implicit_mpm import solve_rheology
from newton._src.solvers.implicit_mpm.rheology_solver_kernels import YieldParamVec
from newton.solvers import SolverImplicitMPM
from warp import fem

from simfactory.simulators.newton.sand.kernels import same_strength

__all__ = ["BedSolver"]

SWEEPS = "simfactory"  # name of our sweeps among Newton's solvers


class _Sweeps(solve_rheology._GaussSeidelSolver):
    """Newton's Gauss-Seidel sweeps on the CPU, whose end is looked for after five of them instead of 25."""

    solve_granularity = 5

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Any: as Newton's
        super().__init__(*arguments, **options)
        self._norms = wp.zeros((2, 1), dtype=wp.float32, device="cpu")

    def eval_residual(self) -> Any:  # Any: a warp array
        """Return sum and largest of the squared residuals; Newton's tiled sum takes as long as ten sweeps."""
        self._evaluate_strain_residual_launch.launch()
        squares = self.strain_residual.numpy()
        self._norms.numpy()[:, 0] = squares.sum(dtype=np.float64), squares.max(initial=0.0)
        return self._norms


solve_rheology._RHEOLOGY_SOLVERS[SWEEPS] = _Sweeps


class BedSolver(SolverImplicitMPM):
    """Material points of one or more granular materials without hardening or viscosity.

    Args:
        model: The newton Model.
        config: Options, as of Newton's solver.
    """

    def __init__(self, model: Any, *, config: Any) -> None:  # Any: newton has no type information
        super().__init__(model, config=config)
        if not model.device.is_cuda:
            self.solver = (SWEEPS,)
        rows = [
            array.numpy() for array in (model.mpm.friction, model.mpm.yield_pressure, model.mpm.tensile_yield_ratio)
        ]
        self._strength: tuple[float, float, float] | None = None
        if all((row == row[0]).all() for row in rows):
            self._strength = float(rows[0][0]), float(rows[1][0]), float(rows[2][0])

    def _build_plasticity_system(
        self,
        state_in: Any,  # Any: as Newton's
        dt: float,
        pic: Any,  # Any: as Newton's
        scratch: Any,  # Any: as Newton's
        inv_cell_volume: float,
    ) -> None:
        """Assemble strain and strength; the latter is the same everywhere where there is one material alone."""
        if self._strength is None:
            super()._build_plasticity_system(state_in, dt, pic, scratch, inv_cell_volume)
            return
        flags = self._mpm_model.material_particle_flags
        values = {"inv_cell_volume": inv_cell_volume, "particle_flags": flags}
        fem.integrate(
            mpm.integrate_active_fraction,
            quadrature=pic,
            fields={"phi": scratch.divergence_test},
            values=values,
            output=scratch.strain_node_particle_volume,
            temporary_store=self.temporary_store,
        )
        scratch.unilateral_strain_offset.zero_()
        fem.integrate(
            mpm.strain_delta_form,
            quadrature=pic,
            fields={"u": scratch.velocity_trial, "tau": scratch.divergence_test},
            values={"dt": dt, **values},
            output_dtype=float,
            output=scratch.strain_matrix,
            temporary_store=self.temporary_store,
            bsr_options={"prune_numerical_zeros": False},
        )
        modes, stresses = self._build_strain_basis_transform(pic, scratch, inv_cell_volume)
        scratch.strain_basis_transform, scratch.strain_stress_transform = modes, stresses
        strength = wp.empty(scratch.strain_node_count, dtype=YieldParamVec, device=self.model.device)
        wp.launch(same_strength, dim=len(strength), inputs=[*self._strength, modes, strength], device=strength.device)
        scratch.strain_yield_parameters_field.dof_values = strength
