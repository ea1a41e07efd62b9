"""Simulated futures of a ticker and of the trader's holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, current_app
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes import inputs
from routes.answers import succeed
from routes.contract import answered, asked
from routes.contract.operations import operation, read_query
from routes.shared import market
from routes.user import user_bp
from services.errors import Unavailable

if TYPE_CHECKING:
    from services.analysis.jobs import Jobs
    from services.analysis.simulation import Task

RUNNING = {202: answered.Running}
PATIENCE = 0.6  # seconds until a caller who wants to see progress is told of it
LONGEST = 120.0  # seconds that a caller waits who does not


@user_bp.get("/api/monte-carlo/<ticker>")
@user_required
@operation(
    "Simulated prices of a ticker", answered.Simulation, query=asked.SimulationQuery, others={202: answered.Running}
)
def monte_carlo(ticker: str) -> tuple[Response, int]:
    """{predictions, paths, statistics, model}. With progress=1, what takes longer than a moment answers 202 with
    {state, progress}: ask the same again.
    """
    from services.analysis import simulation
    from services.analysis.simulation_plan import parse_ask

    checked = inputs.checked_ticker("ticker", ticker)
    return _simulated(simulation.ticker_task(db.session, market(), checked, parse_ask(_plan())))


@user_bp.get("/api/portfolio/monte-carlo")
@user_required
@operation(
    "Simulated worth of the holdings", answered.Simulation, query=asked.SimulationQuery, others={202: answered.Running}
)
def portfolio_monte_carlo() -> tuple[Response, int]:
    """The same for the trader's holdings."""
    from services.analysis import simulation
    from services.analysis.simulation_plan import parse_ask

    return _simulated(simulation.portfolio_task(db.session, market(), current_user.id, parse_ask(_plan())))


def _plan() -> dict[str, str]:
    """The parameters as texts, which is what commands of the assistant have too."""
    return {name: str(value) for name, value in read_query(asked.SimulationQuery).given().items()}


def _simulated(task: Task) -> tuple[Response, int]:
    from services.analysis.simulation import answer

    # The connection would only wait while the simulation runs.
    db.session.close()
    job = jobs().ask(task.key, current_user.actor, task.run)
    shows_progress = read_query(asked.SimulationQuery).progress == "1"
    if job.wait(PATIENCE if shows_progress else LONGEST):
        return succeed(**answer(task, job.result)), 200
    if not shows_progress:
        raise Unavailable("The simulation takes too long. Ask for fewer simulations.", code="SIMULATION_TOO_LONG")
    state = "running" if job.started else "waiting"
    return succeed(state=state, progress=round(job.progress, 3)), 202


def jobs() -> Jobs:
    """The application's queue of simulations, made when it is first needed."""
    from services.analysis.jobs import Jobs

    return cast("Jobs", current_app.extensions.setdefault("jobs", Jobs()))
