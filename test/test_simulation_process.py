"""Large simulations answer from a process of their own what they would answer here, and its end is no catastrophe."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from utils import simulation_process
from utils.monte_carlo import Plan, simulate
from utils.simulation_process import SimulationFailed, SimulationProcess

LARGE = Plan(days=252, simulations=30_000, seed=4)
RETURNS = np.random.default_rng(3).normal(0.0005, 0.01, (300, 1))
ALONE = np.ones(1)


@pytest.fixture
def process() -> Iterator[SimulationProcess]:
    made = SimulationProcess()
    yield made
    if made._process is not None:
        made._end(made._process)


def test_the_outcome_is_the_same_as_here(process: SimulationProcess) -> None:
    shares: list[float] = []
    there = process.run((RETURNS, ALONE, LARGE), shares.append)
    here = simulate(RETURNS, ALONE, LARGE)
    assert (there.last == here.last).all()
    assert (there.bands == here.bands).all()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_one_process_does_many_and_a_new_one_takes_over(process: SimulationProcess) -> None:
    first = process.run((RETURNS, ALONE, LARGE), lambda _share: None)
    before = process._process
    process.run((RETURNS, ALONE, replace(LARGE, seed=5)), lambda _share: None)
    assert process._process is before
    process.stop()
    again = process.run((RETURNS, ALONE, LARGE), lambda _share: None)
    assert process._process is not before
    assert (again.last == first.last).all()


def test_a_killed_process_fails_the_simulation_and_nothing_else(process: SimulationProcess) -> None:
    def kill(_share: float) -> None:
        process.stop()

    with pytest.raises(SimulationFailed, match="interrupted"):
        process.run((RETURNS, ALONE, replace(LARGE, simulations=100_000, model="student_t")), kill)
    process.run((RETURNS, ALONE, LARGE), lambda _share: None)


def test_whoever_gives_up_stops_it(process: SimulationProcess) -> None:
    class GaveUp(Exception):
        pass

    def give_up(_share: float) -> None:
        raise GaveUp

    with pytest.raises(GaveUp):
        process.run((RETURNS, ALONE, LARGE), give_up)
    assert process._process is None


def test_what_it_cannot_do_it_says(process: SimulationProcess) -> None:
    with pytest.raises(SimulationFailed, match="failed"):
        process.run((RETURNS, ALONE, replace(LARGE, seed=-1)), lambda _share: None)


def test_small_ones_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation_process, "_process", None)
    outcome = simulation_process.run(RETURNS, ALONE, replace(LARGE, simulations=100), lambda _share: None)
    assert len(outcome.last) == 100


def test_it_ends_when_nothing_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(simulation_process, "select", lambda *_where: ([], [], []))
    simulation_process.serve(io.BytesIO(), io.BytesIO())


def test_it_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its input ends after the last task."""
    monkeypatch.setattr(simulation_process, "select", lambda *_where: ([True], [], []))
    answers = io.BytesIO()
    simulation_process.serve(io.BytesIO(pickle.dumps((RETURNS, ALONE, replace(LARGE, simulations=50)))), answers)
    answers.seek(0)
    assert pickle.load(answers)[0] == "progress"  # noqa: S301 - written a line above
