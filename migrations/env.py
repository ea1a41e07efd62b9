"""What Alembic runs for every `flask db` command: it opens the database, and moves it or compares it with the models.

The database is the application's, or the one that a test hands over in the attributes of Alembic's configuration:
`engine`, or `url` where the statements are only written down.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, Engine, String
from sqlalchemy.types import TypeEngine

from models import Base
from models.types import ExactDecimal, UTCDateTime


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | bool:
    """How a new migration writes our own column types: by their names in models/types.py. False: as Alembic would."""
    text = _type_text(item) if kind == "type" else None
    if text is None:
        return False
    autogenerate.imports.add("import models.types")
    return f"models.types.{text}"


def _type_text(column_type: TypeEngine[Any]) -> str | None:
    if isinstance(column_type, ExactDecimal | UTCDateTime):
        return f"{type(column_type).__name__}()"
    variant = column_type._variant_mapping.get("mysql") if isinstance(column_type, String) else None
    charset = getattr(variant, "charset", None)
    if charset is None:
        return None
    return f"exact_string({column_type.length})" if charset == "ascii" else f"exact_text({column_type.length})"


def migrate_offline() -> None:
    """Write the SQL of the migrations instead of running it (`flask db upgrade --sql`)."""
    url = context.config.attributes.get("url") or current_app.config["SQLALCHEMY_DATABASE_URI"]
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    """Run the migrations, or compare the models with the database."""
    engine = context.config.attributes.get("engine") or _application_engine()
    with engine.connect().execution_options(writes=True) as connection:
        _foreign_keys(connection, checked=False)
        try:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_item=render_item,
                compare_type=True,
                render_as_batch=connection.dialect.name == "sqlite",
                process_revision_directives=_drop_empty_revision,
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            _foreign_keys(connection, checked=True)


def _application_engine() -> Engine:
    engine: Engine = current_app.extensions["migrate"].db.engine
    return engine


def _foreign_keys(connection: Connection, *, checked: bool) -> None:
    """SQLite changes a table by building it anew and dropping the old one, which would trip over the keys that point at
    it. The switch only works outside a transaction, so it goes past SQLAlchemy to the driver.
    """
    if connection.dialect.name != "sqlite":
        return
    if connection.in_transaction():
        connection.rollback()
    driver_connection = connection.connection.driver_connection
    assert driver_connection is not None
    driver_connection.execute(f"PRAGMA foreign_keys = {'ON' if checked else 'OFF'}")
    if checked:
        broken = driver_connection.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration left rows that point at nothing: {broken[:5]}")


def _drop_empty_revision(migration: Any, _revision: Any, directives: list[Any]) -> None:
    """`flask db migrate` writes no file where nothing differs."""
    options = migration.config.cmd_opts if migration.config else None
    if getattr(options, "autogenerate", False) and directives and directives[0].upgrade_ops.is_empty():
        directives.clear()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
