"""Column types that are exact and alike on every database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import DECIMAL, BigInteger, DateTime, Dialect, Numeric, String
from sqlalchemy.dialects import mysql
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

from utils.datetime_utils import to_utc


class ExactDecimal(TypeDecorator[Decimal]):
    """A Decimal with fixed places: DECIMAL on MySQL and MariaDB, a whole number of the smallest unit on SQLite.

    SQLite has no exact decimals: NUMERIC becomes a binary float there, so 0.1 + 0.2 = 0.3 would be false. Binding
    refuses floats, NaN, infinities and more places than the column has, instead of rounding in silence.
    """

    # Not DECIMAL: of Numeric alone SQLAlchemy says that a sum or a product is of the same type as its first part.
    impl = Numeric
    cache_ok = True
    precision: int
    places: int

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DECIMAL(self.precision, self.places))

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | int | None], Decimal | int | None]:
        units_of, places = self._units, self.places
        if dialect.name == "sqlite":
            return lambda value: None if value is None else units_of(value)
        return lambda value: None if value is None else Decimal(units_of(value)).scaleb(-places)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        read = _from_units if dialect.name == "sqlite" else _from_decimal
        places = self.places
        return lambda value: None if value is None else read(value, places)

    def coerce_compared_value(self, op: operators.OperatorType | None, value: Any) -> TypeEngine[Any]:
        """An amount is compared with and added to amounts, but multiplied by a plain number: `price * 3`."""
        return BigInteger() if op is operators.mul and isinstance(value, int) else self

    def process_literal_param(self, value: Decimal | int | None, dialect: Dialect) -> str:
        return str(self.bind_processor(dialect)(value)) if value is not None else "NULL"

    def _units(self, value: Decimal | int) -> int:
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise TypeError(f"{type(self).__name__} takes Decimal, not {type(value).__name__}")
        scaled = Decimal(value).scaleb(self.places)
        if not scaled.is_finite() or scaled != (units := int(scaled)):
            raise ValueError(f"{value} does not fit {self.places} decimal places")
        if abs(units) >= 10**self.precision:
            raise ValueError(f"{value} is too large for DECIMAL({self.precision},{self.places})")
        return units


# Of the values that a batch reads most repeat, and making a Decimal costs more than finding it again.
@lru_cache(maxsize=65536)
def _from_units(units: int, places: int) -> Decimal:
    return Decimal(int(units)).scaleb(-places)


@lru_cache(maxsize=65536)
def _from_decimal(value: Decimal, places: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-places))


class Money(ExactDecimal):
    """Dollars with two places: DECIMAL(15,2), or whole cents on SQLite."""

    cache_ok = True
    precision = 15
    places = 2


class Price(ExactDecimal):
    """Dollars a share, or a rate, with four places: DECIMAL(12,4), or whole ten-thousandths on SQLite."""

    cache_ok = True
    precision = 12
    places = 4


class UTCDateTime(TypeDecorator[datetime]):
    """A time with microseconds, stored in UTC without a zone, always aware in Python. A naive time is refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else to_utc(value).replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        of_the_driver = self.load_dialect_impl(dialect).dialect_impl(dialect).result_processor(dialect, coltype)

        @lru_cache(maxsize=4096)
        def read(value: Any) -> datetime:
            plain = of_the_driver(value) if of_the_driver else value
            assert isinstance(plain, datetime)
            return plain.replace(tzinfo=UTC)

        return lambda value: None if value is None else read(value)


def exact_string(length: int) -> String:
    """ASCII text compared byte by byte on every database: tickers, keys, tokens, codes.

    MySQL's default collations hold `order-a`, `Order-A ` and `Örder-A` for the same key.
    """
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


def exact_text(length: int) -> String:
    """Unicode text compared byte by byte on every database: normalised names."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


Ticker = exact_string(10)
