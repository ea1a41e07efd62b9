"""The declarative base, the names of constraints, and the columns that many tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, mapped_column

from models.types import UTCDateTime
from utils.datetime_utils import utc_now

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# Whatever the server's and the database's defaults are. Text is compared byte by byte, as on SQLite; a search that
# should not care for case says so itself (ilike).
SERVER_TABLE_OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


class Base(DeclarativeBase):
    """Every table of the system."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)

    @classmethod
    def __table_cls__(cls, *args: Any, **options: Any) -> Table:
        """SQLAlchemy's hook that makes the Table: the one place that gives all of them the same options."""
        make: Any = Table
        table: Table = make(*args, **SERVER_TABLE_OPTIONS, **options)
        return table


db = SQLAlchemy(model_class=Base)

# Row numbers. AUTOINCREMENT on SQLite, so that a number once given is never given again, as on MySQL.
RowId = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=True, comment="Row number")]
CreatedAt = Annotated[
    datetime, mapped_column(UTCDateTime, default=utc_now, comment="Wall clock when the row was written, UTC")
]
UpdatedAt = Annotated[
    datetime,
    mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now, comment="Wall clock of the last change, UTC"),
]

NEVER_REUSE_IDS = {"sqlite_autoincrement": True}

__all__ = ["NEVER_REUSE_IDS", "Base", "CreatedAt", "RowId", "UpdatedAt", "db"]
