"""Analysis beside the arithmetic that it cannot do without: bare NumPy, bare TA-Lib, and one read of the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import talib
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench.books import BenchBooks, open_books, plant_instruments, unit
from bench.measures import ROUNDS, Figures, Measure, durations, percentile, seconds
from models import MarketData, db
from services.analysis import indicators, risk, simulation
from services.analysis.jobs import Jobs
from services.analysis.questions import RiskQuestion
from services.analysis.simulation_plan import parse_ask
from services.market.hours import exchange_day
from utils import risk_metrics as formulas
from utils.datetime_utils import utc_now

TICKERS = tuple(f"T{number}" for number in range(8))
YEARS = 10
DAYS = 252 * YEARS
REPEATS = 5  # of what takes milliseconds; the quickest of them counts, as the others were disturbed
SPEC = "sma:20,ema:20,wma:20,rsi:14,macd,bbands,atr:14,stoch,adx:14,obv,vwap:20,cci:20,willr:14,sar,ichimoku"


@contextmanager
def books_with_bars() -> Iterator[BenchBooks]:
    """Books with ten years of daily bars of eight tickers and of the benchmark."""
    with open_books("sqlite") as books:
        unit(plant_instruments, (*TICKERS, risk.BENCHMARK))
        unit(_plant_bars, books)
        yield books


def _plant_bars(session: Session, books: BenchBooks) -> None:
    chance = np.random.default_rng(5)
    last = exchange_day(books.market.now()) - timedelta(days=1)
    days = [last - timedelta(days=back) for back in range(DAYS * 2) if (last - timedelta(days=back)).weekday() < 5]
    days = sorted(days[: DAYS + 1])
    common = chance.normal(0.0003, 0.008, len(days))
    for ticker in (*TICKERS, risk.BENCHMARK):
        closes = 50 * np.exp(np.cumsum(common + chance.normal(0, 0.01, len(days))))
        session.execute(insert(MarketData), [_row(ticker, *pair) for pair in zip(days, closes, strict=True)])


def _row(ticker: str, day: object, close: float) -> dict[str, object]:
    price = Decimal(f"{close:.4f}")
    spread = Decimal(f"{close * 0.01:.4f}")
    high, low = price + spread, price - spread
    prices = {"open": price, "high": high, "low": low, "close": price, "adj_close": price}
    return {"ticker": ticker, "date": day, **prices, "volume": 1_000_000, "data_collected_at": utc_now()}


def quickest(work: Callable[[], object]) -> float:
    return min(seconds(work) for _ in range(REPEATS))


def in_milliseconds(figures: Figures) -> Figures:
    return Figures(figures.product * 1000, figures.limit * 1000, figures.ratio, figures.note)


# Simulation.


def best_bare_kernel(simulations: int, days: int) -> float:
    """Seconds of the quickest width of its chunks."""
    return min(quickest(partial(bare_kernel, simulations, days, width)) for width in (1024, 2048, 4096))


def bare_kernel(simulations: int, days: int, width: int) -> np.ndarray:
    """Every daily step of a Brownian motion in float32, in place and in chunks, and nothing else."""
    generator = np.random.Generator(np.random.SFC64(1))
    drift, spread = np.float32(0.0003), np.float32(0.013)
    last = np.empty(simulations, np.float32)
    for begin in range(0, simulations, width):
        noise = np.empty((days, min(width, simulations - begin)), np.float32)
        generator.standard_normal(out=noise, dtype=np.float32)
        noise *= spread
        noise += drift
        for day in range(1, days):
            noise[day] += noise[day - 1]
        np.exp(noise, out=noise)
        last[begin : begin + noise.shape[1]] = noise[-1]
    return last


def simulated(books: BenchBooks, simulations: int) -> Callable[[], object]:
    """The service from the read to the answer, without what it has kept from earlier."""
    ask = parse_ask({"days": "252", "simulations": str(simulations)})

    def work() -> object:
        task = simulation.ticker_task(db.session(), books.market, TICKERS[0], ask)
        return simulation.answer(task, task.run(lambda _share: None))

    return work


def monte_carlo_10k() -> Figures:
    with books_with_bars() as books:
        work = simulated(books, 10_000)
        pairs = [(quickest(work), best_bare_kernel(10_000, 252)) for _ in range(ROUNDS)]
    return in_milliseconds(durations(*zip(*pairs, strict=True)))


def monte_carlo_100k() -> Figures:
    with books_with_bars() as books:
        large, small = simulated(books, 100_000), simulated(books, 10_000)
        pairs = [(quickest(large), 10 * quickest(small)) for _ in range(ROUNDS)]
    return in_milliseconds(durations(*zip(*pairs, strict=True)))


# Risk.


def bare_query(tickers: tuple[str, ...], columns: tuple[Any, ...]) -> str:
    """The query for the same rows, written out beforehand."""
    query = select(*columns).where(MarketData.ticker.in_(tickers)).order_by(MarketData.ticker, MarketData.date)
    return str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))


def bare_read(query: str) -> np.ndarray:
    """The rows by the driver alone, as the arrays that any arithmetic needs. The date comes first."""
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(query).cursor.fetchall()
    days, *columns = zip(*rows, strict=True)
    assert len(np.array(days, "datetime64[D]")) == len(rows)
    return np.array(columns, np.float64)


def bare_risk(prices: np.ndarray, benchmark: np.ndarray) -> None:
    """The arithmetic of one ticker's figures and curves, on arrays that are already there."""
    returns, market = formulas.simple_returns(prices), formulas.simple_returns(benchmark)
    for formula in (formulas.total_return, formulas.annual_return, formulas.volatility, formulas.sharpe_ratio):
        formula(returns)
    for formula in (formulas.downside_deviation, formulas.sortino_ratio, formulas.skewness, formulas.excess_kurtosis):
        formula(returns)
    for confidence in (0.95, 0.99):
        formulas.historical_var(returns, confidence)
        formulas.parametric_var(returns, confidence)
        formulas.expected_shortfall(returns, confidence)
    formulas.calmar_ratio(returns, formulas.max_drawdown(prices).depth)
    for against in (formulas.beta, formulas.alpha, formulas.r_squared, formulas.systematic_risk, formulas.r_squared):
        against(returns, market)
    for against in (formulas.residual_risk, formulas.tracking_error, formulas.information_ratio):
        against(returns, market)
    formulas.treynor_ratio(returns, market)
    formulas.drawdowns(prices)
    formulas.rolling_volatility(returns, 63)
    formulas.rolling_beta(returns, market, 63)
    formulas.rolling_drawdown(prices, 63)
    np.histogram(returns, 31)


def risk_8x10y() -> Figures:
    question = RiskQuestion(TICKERS, False, False, DAYS, None, None, 63, 0.0)
    with books_with_bars() as books:
        wanted = (*TICKERS, risk.BENCHMARK)
        query = bare_query(wanted, (MarketData.date, MarketData.adj_close))
        # Sorted by ticker; which is which does not matter to the arithmetic.
        series = bare_read(query).reshape(len(wanted), -1) / 10_000

        def arithmetic() -> None:
            for prices in series[:-1]:
                bare_risk(prices, series[-1])
            formulas.correlation_matrix(formulas.simple_returns(series[:-1].T))

        def limit() -> float:
            return quickest(arithmetic) + quickest(partial(bare_read, query))

        pairs = [(quickest(lambda: risk.analyse(db.session(), books.market, question)), limit()) for _ in range(ROUNDS)]
    return in_milliseconds(durations(*zip(*pairs, strict=True)))


# Indicators.


def bare_indicators(high: Any, low: Any, close: Any, volume: Any) -> None:
    """The calls of TA-Lib behind the fifteen indicators of SPEC."""
    for average in (talib.SMA, talib.EMA, talib.WMA):
        average(close, 20)
    talib.RSI(close, 14)
    talib.MACD(close, 12, 26, 9)
    talib.BBANDS(close, 20, 2.0, 2.0, 0)
    talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    for ranged in (talib.ATR, talib.ADX, talib.PLUS_DI, talib.MINUS_DI, talib.WILLR, talib.CCI):
        ranged(high, low, close, 14)
    talib.OBV(close, volume)
    talib.SUM(close * volume, 20) / talib.SUM(volume, 20)
    talib.SAR(high, low, 0.02, 0.2)
    for period in (9, 26, 52):
        talib.MIDPRICE(high, low, period)


def indicators_15x10y() -> Figures:
    chosen = indicators.parse_spec(SPEC)
    columns = (MarketData.date, MarketData.open, MarketData.high, MarketData.low, MarketData.close, MarketData.volume)
    with books_with_bars() as books:
        query = bare_query(TICKERS[:1], columns)
        _first, *arrays = bare_read(query)

        def product() -> object:
            return indicators.history(db.session(), books.market, TICKERS[0], "max", chosen)

        def limit() -> float:
            return quickest(lambda: bare_indicators(*arrays)) + quickest(partial(bare_read, query))

        pairs = [(quickest(product), limit()) for _ in range(ROUNDS)]
    return in_milliseconds(durations(*zip(*pairs, strict=True), note=f"{len(chosen)} indicators"))


# Others meanwhile.


def pages_meanwhile() -> Figures:
    """The median time of somebody's account page while simulations run one after the other, and without any."""
    with venue() as (client, task):
        usual = [_page_seconds(client) for _ in range(40)]
        jobs = Jobs()
        job = jobs.ask("heavy", "somebody", task)
        busy = []
        while not job.finished.is_set():
            busy.append(_page_seconds(client))
        jobs.stop()
    note = f"{len(busy)} pages meanwhile, the slowest twentieth {percentile(busy, 0.95) * 1000:.0f} ms"
    return in_milliseconds(Figures(median(busy), 2 * median(usual), 2 * median(usual) / median(busy), note))


def _page_seconds(client: Any) -> float:
    begin = time.perf_counter()
    assert client.get("/user/account").status_code == 200
    return time.perf_counter() - begin


@contextmanager
def venue() -> Iterator[tuple[Any, Callable[..., object]]]:
    """Somebody logged in to the whole application, and a simulation of some seconds."""
    import factories
    from app import create_app
    from web_client import VenueClient

    with books_with_bars() as books:
        app = create_app(books.config)
        app.test_client_class = VenueClient
        app.extensions["market"] = books.market
        somebody = factories.make_user("Somebody")
        ask = parse_ask({"days": "365", "simulations": "100000", "model": "student_t"})
        task = simulation.ticker_task(db.session(), books.market, TICKERS[0], ask)
        db.session.remove()
        yield app.test_client().log_in(somebody), task.run


MEASURES = (
    Measure("monte_carlo_10k", "10,000 x 252 by the service | bare kernel", "ms", 0.4, monte_carlo_10k),
    Measure("monte_carlo_100k", "100,000 x 252 by the service | ten of 10,000", "ms", 1, monte_carlo_100k),
    Measure("risk_8x10y", "8 tickers x 10 years | bare arithmetic and read", "ms", 1 / 3, risk_8x10y),
    Measure("indicators_15x10y", "15 indicators x 10 years | bare TA-Lib and read", "ms", 0.5, indicators_15x10y),
    Measure("pages_meanwhile", "a page while simulations run | twice the usual time", "ms", 1, pages_meanwhile),
)
