"""Stored bars in an admin's hands: how whole they are, files in and out, fetching them anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select, update

from conftest import Books
from models import Instrument, MarketData
from services.errors import Conflict, InvalidInput, NotFound
from services.market import bar_files, bars, coverage, refresh, source_status
from services.market.source_status import SourceFailure
from utils.circuit_breaker import CircuitBreaker
from utils.market_source import Bar

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MONDAY = date(2008, 8, 25)
TODAY = date(2008, 9, 2)
HEADER = "ticker,date,open,high,low,close,adj_close,volume\n"
GOOD = "AAPL,2008-08-25,100,110,90,105.5,105.5,1000\nAAPL,2008-08-26,105,111,91,106,106,2000\n"


def bar(ticker: str, day: date, close: str = "100.00", adjusted: str | None = None) -> Bar:
    prices = [Decimal(one) for one in ("100.00", "210.00", "10.00", close, adjusted or close)]
    return Bar(ticker, day, *prices, 1_000)


def days(*numbers: int) -> list[date]:
    return [MONDAY + timedelta(days=number) for number in numbers]


def covered(books: Books, *tickers: str) -> dict[str, coverage.Coverage]:
    with books.session() as session:
        return coverage.coverage(session, tickers)


def read(text: str, ticker: str | None = None) -> bar_files.BarFile:
    return bar_files.read_file(text, ticker=ticker, known=["AAPL", "MSFT"], until=TODAY)


# Coverage.


def test_coverage_tells_first_and_last_bar_and_the_days_between_without_one(books: Books) -> None:
    books.run(bars.store, [bar("AAPL", day) for day in days(0, 1, 2, 3, 4)], NOW)
    books.run(bars.store, [bar("MSFT", day) for day in days(1, 4)], NOW)
    found = covered(books, "AAPL", "MSFT", "GOOG")
    assert (found["AAPL"].first, found["AAPL"].last, found["AAPL"].bars) == (MONDAY, days(4)[0], 5)
    assert (found["AAPL"].gaps, found["MSFT"].gaps) == (0, 2)
    assert (found["GOOG"].bars, found["GOOG"].first) == (0, None)


def test_the_days_of_a_gap_are_named_newest_first(books: Books) -> None:
    books.run(bars.store, [bar("^GSPC", day) for day in days(0, 1, 2, 3)], NOW)
    books.run(bars.store, [bar("MSFT", day) for day in days(0, 3)], NOW)
    with books.session() as session:
        assert coverage.gap_days(session, "MSFT", 10) == days(2, 1)


@pytest.mark.parametrize(("column", "value"), [("low", Decimal(0)), ("close", Decimal("-1.0000")), ("open", None)])
def test_a_price_of_nothing_or_less_is_counted(books: Books, column: str, value: Decimal | None) -> None:
    books.run(bars.store, [bar("AAPL", day) for day in days(0, 1)], NOW)
    books.run(
        lambda session: session.execute(update(MarketData).where(MarketData.date == MONDAY).values({column: value}))
    )
    assert covered(books, "AAPL")["AAPL"].bad_bars == 1


def test_a_split_shows_where_only_the_adjusted_close_goes_on(books: Books) -> None:
    before, after, dividend = days(0, 1, 2)
    series = [bar("AAPL", before, "200.00", "100.00"), bar("AAPL", after, "101.00", "101.00")]
    books.run(bars.store, [*series, bar("AAPL", dividend, "98.00", "101.50")], NOW)
    assert covered(books, "AAPL")["AAPL"].splits == ((after, Decimal("2.00")),)


# Files.


def test_a_file_is_read_line_by_line() -> None:
    file = read(HEADER + GOOD)
    assert (file.lines, len(file.bars), file.errors) == (2, 2, [])
    assert file.bars[0].close == Decimal("105.5000")


def test_a_file_of_one_ticker_needs_no_column_for_it() -> None:
    file = read("Date, Open, High, Low, Close\n2008-08-25,1,2,0.5,1.5\n", ticker="MSFT")
    assert [(one.ticker, one.adj_close, one.volume) for one in file.bars] == [("MSFT", Decimal("1.5000"), 0)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("IBM,2008-08-25,1,2,1,1,1,1", "ticker"),
        ("AAPL,25.8.2008,1,2,1,1,1,1", "date"),
        ("AAPL,2008-09-02,1,2,1,1,1,1", "date"),
        ("AAPL,2008-08-25,0,2,1,1,1,1", "open"),
        ("AAPL,2008-08-25,1,2,-1,1,1,1", "low"),
        ("AAPL,2008-08-25,1,2,1,nan,1,1", "close"),
        ("AAPL,2008-08-25,1,2,1,1.00001,1,1", "close"),
        ("AAPL,2008-08-25,1,2,1,1,1,-5", "volume"),
        ("AAPL,2008-08-25,1,2,1,1,1,1e3", "volume"),
        ("AAPL,2008-08-25,3,2,1,1,1,1", "high"),
        ("AAPL,2008-08-25,1,2,1,1,1,1,9", "line"),
        ("AAPL,2008-08-25,1", "high"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_field(line: str, field: str) -> None:
    file = read(f"{HEADER}MSFT,2008-08-25,1,2,1,1,1,1\n{line}\n")
    assert {(error.line, error.field) for error in file.errors} >= {(3, field)}
    assert len(file.bars) == 1


def test_the_same_day_twice_is_an_error() -> None:
    assert [(error.line, error.field) for error in read(HEADER + GOOD + GOOD).errors] == [(4, "date"), (5, "date")]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00", "date,open,high,low\n"])
def test_a_text_that_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(text, ticker="AAPL")
    assert list(refusal.value.errors) == ["file"]


def test_without_a_column_or_a_choice_the_ticker_is_missing() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read("date,open,high,low,close\n")
    assert list(refusal.value.errors) == ["ticker"]


def test_storing_tells_new_changed_and_unchanged_bars(books: Books) -> None:
    books.run(bar_files.store, read(HEADER + GOOD), NOW)
    second = read(HEADER + GOOD.replace("106,106", "107,107") + "MSFT,2008-08-25,1,2,1,1,1,1\n")
    with books.session() as session:
        foreseen = bar_files.compare(session, second)
    report = books.run(bar_files.store, second, NOW)
    assert (report.new, report.changed, report.unchanged, report.tickers) == (1, 1, 1, ("AAPL", "MSFT"))
    assert foreseen == report
    again = books.run(bar_files.store, second, NOW)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)


def test_a_file_with_a_wrong_line_is_never_stored(books: Books) -> None:
    with pytest.raises(ValueError, match="never stored"):
        books.run(bar_files.store, read(HEADER + GOOD + "AAPL,never,1,2,1,1,1,1\n"), NOW)
    with books.session() as session:
        assert session.execute(select(func.count()).select_from(MarketData)).scalar_one() == 0


def test_what_is_exported_can_be_imported_again(books: Books) -> None:
    books.run(bar_files.store, read(HEADER + GOOD), NOW)
    with books.session() as session:
        rows = list(bar_files.exported(session, None))
    text = HEADER + "".join(",".join(str(row[name]) for name in bar_files.COLUMNS) + "\n" for row in rows)
    report = books.run(bar_files.store, read(text), NOW)
    assert (report.lines, report.unchanged) == (2, 2)


# Fetching anew.


def asked(books: Books, *tickers: str) -> list[str]:
    return books.run(refresh.start, list(tickers), "Ada", NOW)


def state(books: Books) -> refresh.Progress:
    with books.session() as session:
        return refresh.progress(session)


def next_one(books: Books) -> str | None:
    with books.session() as session:
        return refresh.next_ticker(session)


def test_a_refresh_goes_from_ticker_to_ticker_until_all_are_done(books: Books) -> None:
    assert state(books).state == "idle"
    assert asked(books) == ["AAPL", "GOOG", "MSFT", "^GSPC"]
    books.run(bars.mark_refreshed, "AAPL", NOW + timedelta(seconds=1))
    assert (state(books).state, state(books).done, state(books).total, next_one(books)) == ("running", 1, 4, "GOOG")
    for ticker in ("GOOG", "MSFT", "^GSPC"):
        books.run(bars.mark_refreshed, ticker, NOW + timedelta(seconds=2))
    assert (state(books).state, next_one(books)) == ("done", None)


def test_a_ticker_that_cannot_be_fetched_is_passed_over_and_told(books: Books) -> None:
    asked(books, "AAPL", "MSFT")
    books.run(refresh.note_failure, "AAPL", "no answer", NOW)
    assert next_one(books) == "MSFT"
    books.run(bars.mark_refreshed, "MSFT", NOW)
    assert (state(books).state, state(books).failed) == ("done", (("AAPL", "no answer"),))


def test_one_refresh_at_a_time(books: Books) -> None:
    asked(books, "AAPL")
    with pytest.raises(Conflict, match="already"):
        asked(books)
    books.run(bars.mark_refreshed, "AAPL", NOW)
    assert asked(books, "MSFT") == ["MSFT"]


def test_a_cancelled_refresh_goes_no_further(books: Books) -> None:
    asked(books)
    assert books.run(refresh.cancel, NOW) == 4
    assert (state(books).state, next_one(books)) == ("cancelled", None)
    with pytest.raises(Conflict):
        books.run(refresh.cancel, NOW)


def test_only_instruments_are_refreshed(books: Books) -> None:
    with pytest.raises(NotFound):
        asked(books, "AAPL", "NOPE")
    assert state(books).state == "idle"


def test_in_the_replay_the_feed_stores_the_recorded_bars_anew(app, books: Books) -> None:
    from services.market.market import VenueMarket
    from tasks.replay_steps import ReplaySteps

    steps = ReplaySteps(VenueMarket(), date(2008, 9, 2), 60, True, lambda: NOW)
    with app.app_context():
        assert steps.prepare()
        wrong = update(MarketData).where(MarketData.ticker == "IBM", MarketData.date == date(2008, 8, 29))
        books.run(lambda session: session.execute(wrong.values(close=Decimal("1.0000"))))
        books.run(lambda session: session.execute(insert(Instrument).values(ticker="NONE", name="None", exchange="")))
        asked(books, "IBM", "NONE")
        steps.step()
        steps.step()
    close = select(MarketData.close).where(MarketData.ticker == "IBM", MarketData.date == date(2008, 8, 29))
    with books.session() as session:
        assert session.execute(close).scalar_one() > 100
    assert (state(books).state, dict(state(books).failed)) == ("done", {"NONE": "no days of NONE are recorded"})


# The source.


def test_a_source_that_never_failed_is_well(books: Books) -> None:
    with books.session() as session:
        assert source_status.read(session, NOW) == source_status.SourceStatus("closed", 0, None, ())


def test_failures_are_kept_newest_first_and_the_breaker_is_told(books: Books) -> None:
    breaker = CircuitBreaker()
    for number in range(25):
        breaker.failed(NOW)
        books.run(source_status.note, breaker, SourceFailure(NOW, "quotes", f"no answer {number}"), NOW)
    with books.session() as session:
        status = source_status.read(session, NOW)
    assert (status.breaker, status.failures_in_a_row, len(status.recent)) == ("open", 25, 20)
    assert status.recent[0].message == "no answer 24"
    breaker.succeeded()
    books.run(source_status.note, breaker, None, NOW)
    with books.session() as session:
        assert source_status.read(session, NOW).breaker == "closed"
