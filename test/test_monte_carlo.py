"""The simulations agree with theory, with their own past, and with themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from utils import monte_carlo
from utils.monte_carlo import MODELS, PERCENTILES, Model, Outcome, Plan, percentiles, simulate

YEAR = 252
MANY = 60_000


def past(days: int = 500, assets: int = 1, seed: int = 7) -> np.ndarray:
    """Log returns with some drift, fat tails and, where there are several assets, correlation."""
    generator = np.random.default_rng(seed)
    common = generator.standard_t(5, (days, 1)) * 0.007
    return 0.0006 + common + generator.standard_t(5, (days, assets)) * 0.008


def run(returns: np.ndarray, **plan: object) -> Outcome:
    weights = np.full(returns.shape[1], 1 / returns.shape[1])
    return simulate(returns, weights, Plan(**{"days": YEAR, "simulations": MANY, **plan}))  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [1, 5, 60, 61, YEAR, 365])
def test_moments_of_brownian_motion_are_those_of_theory(days: int) -> None:
    """Mean and variance of the log price, and the mean price, within three standard errors."""
    returns = past()
    outcome = run(returns, days=days)
    m, s = float(returns.mean()), float(returns.std(ddof=1))
    logs = np.log(outcome.last.astype(np.float64))
    spread = s * math.sqrt(days)
    assert abs(logs.mean() - m * days) < 3 * spread / math.sqrt(MANY)
    assert abs(logs.var(ddof=1) - spread**2) < 3 * spread**2 * math.sqrt(2 / (MANY - 1))
    expected = math.exp((m + s * s / 2) * days)
    deviation = expected * math.sqrt(math.expm1(spread**2))
    assert abs(outcome.mean - expected) < 3 * deviation / math.sqrt(MANY)


def test_every_band_of_brownian_motion_is_the_lognormal_percentile() -> None:
    returns = past()
    outcome = run(returns)
    m, s = float(returns.mean()), float(returns.std(ddof=1))
    z = np.array([-1.6448536269514722, -0.6744897501960817, 0.0, 0.6744897501960817, 1.6448536269514722])
    days = np.arange(1, YEAR + 1)[:, None]
    theory = np.exp(m * days + s * np.sqrt(days) * z)
    assert outcome.bands == pytest.approx(theory, rel=0.02)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_keeps_mean_and_spread_of_the_past(model: Model) -> None:
    returns = past()
    logs = np.log(run(returns, model=model, block=1).last.astype(np.float64))
    spread = float(returns.std(ddof=0 if model == "bootstrap" else 1)) * math.sqrt(YEAR)
    assert abs(logs.mean() - returns.mean() * YEAR) < 3 * spread / math.sqrt(MANY)
    assert logs.std() == pytest.approx(spread, rel=0.02)


@pytest.mark.parametrize("model", MODELS)
def test_without_drift_the_expected_price_stays_where_it_is(model: Model) -> None:
    outcome = run(past(), model=model, drift="none", block=1, days=60)
    assert abs(outcome.mean - 1) < 3 * outcome.deviation / math.sqrt(MANY) + 0.001


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_answer_and_another_one_another(model: Model) -> None:
    first, again, other = (run(past(), model=model, simulations=700, seed=seed) for seed in (3, 3, 4))
    assert (first.last == again.last).all()
    assert (first.bands == again.bands).all()
    assert (first.last != other.last).any()


@pytest.mark.parametrize("model", MODELS)
def test_portfolios_keep_the_correlation_of_their_assets(model: Model) -> None:
    """The spread of an even mix is that of its returns; without correlation it would be far smaller."""
    returns = past(assets=4)
    outcome = run(returns, model=model, days=10, block=1)
    together = math.sqrt(float(np.cov(returns.T).mean()) * 10)
    alone = math.sqrt(float(returns.var(axis=0).sum()) * 10) / 4
    assert float(np.log(outcome.last).std()) == pytest.approx(together, rel=0.03)
    assert together > 1.3 * alone


def test_one_asset_held_twice_is_that_asset() -> None:
    """A covariance without an inverse is no obstacle."""
    returns = past()
    twice = run(np.hstack([returns, returns]))
    once = run(returns)
    assert twice.bands[-1] == pytest.approx(once.bands[-1], rel=0.03)


def test_blocks_keep_what_follows_what() -> None:
    """Returns that always turn around on the next day leave nothing over two days, as long as blocks are kept."""
    returns = np.tile([0.02, -0.02], 100)[:, None]
    kept = run(returns, model="bootstrap", block=2, days=2, simulations=2000)
    torn = run(returns, model="bootstrap", block=1, days=2, simulations=2000)
    assert np.abs(np.log(kept.last)).max() < 1e-6
    assert np.abs(np.log(torn.last)).max() == pytest.approx(0.04, abs=1e-6)


def test_blocks_longer_than_the_past_are_cut() -> None:
    returns = past(days=60)
    outcome = run(returns, model="bootstrap", block=200, simulations=100, days=60)
    assert outcome.last == pytest.approx(math.exp(returns.sum()), rel=1e-4)


@pytest.mark.parametrize("simulations", [1, 2, 19, 1001, 100_000])
@pytest.mark.parametrize("shape", ["normal", "one far away", "few different", "all the same"])
def test_percentiles_are_numpys(shape: str, simulations: int) -> None:
    values = np.random.default_rng(1).standard_normal(simulations).astype(np.float32)
    if shape == "one far away":
        values[0] = 1e6
    if shape == "few different":
        values = np.round(values)
    if shape == "all the same":
        values[:] = 0.3
    expected = np.percentile(values.astype(np.float64), PERCENTILES)
    assert percentiles(values) == pytest.approx(expected, rel=1e-12)


def test_what_is_said_of_the_last_day() -> None:
    last = np.array([0.5, 0.8, 1.0, 1.0, 1.3], np.float32)
    outcome = Outcome(np.zeros((1, 5)), np.zeros((1, 5), np.float32), last)
    assert outcome.probability_of_gain == pytest.approx(0.2)
    assert outcome.probability_at_least(1.0) == pytest.approx(0.6)
    assert outcome.probability_at_least(2.0) == pytest.approx(0.0)
    assert outcome.expected_shortfall == pytest.approx(-0.5)
    assert outcome.mean == pytest.approx(0.92)


def test_bands_are_in_order_and_paths_are_few() -> None:
    outcome = run(past(), simulations=300)
    assert (np.diff(outcome.bands, axis=1) >= 0).all()
    assert outcome.bands.shape == (YEAR, len(PERCENTILES))
    assert outcome.paths.shape == (YEAR, monte_carlo.MOST_PATHS)
    assert run(past(), simulations=1, days=1).paths.shape == (1, 1)


def test_progress_rises_to_one_and_may_stop_the_work() -> None:
    shares: list[float] = []
    simulate(past(), np.ones(1), Plan(YEAR, 20_000, "student_t"), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)

    def stop(_share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        simulate(past(), np.ones(1), Plan(YEAR, 20_000), stop)


def test_degrees_of_freedom_follow_the_tails() -> None:
    generator = np.random.default_rng(2)
    normal, fat = generator.standard_normal((20_000, 1)), generator.standard_t(8, (20_000, 1))
    assert monte_carlo.degrees_of_freedom(normal) > 20
    assert 6 < monte_carlo.degrees_of_freedom(fat) < 11
    assert monte_carlo.degrees_of_freedom(np.tile([[0.01], [-0.01]], (50, 1))) == monte_carlo.MOST_DEGREES
