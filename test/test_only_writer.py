"""Only services/accounts/ledger.py writes cash and shares: its source and everybody else's is read and checked."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from databases import ROOT

LEDGER = "services/accounts/ledger.py"
# The columns that cache the journal, and the numbers that order it. `quantity` is also a field of orders on their way,
# so as an attribute it only counts on something that is called a holding or portfolio.
COLUMNS = {
    "available_balance",
    "frozen_balance",
    "total_balance",
    "journal_sequence",
    "event_sequence",
    "frozen_quantity",
    "average_price",
    "total_cost",
}
AMBIGUOUS_COLUMNS = {"quantity"}
MODELS = {"AccountBalance", "Portfolio", "LedgerEntry"}
TABLES = {"account_balance", "portfolio", "ledger_entry"}
WRITERS = {"insert", "update", "delete", "bulk_insert_mappings", "bulk_update_mappings", "bulk_save_objects"}
# Declare the columns; prepare, in plain values, what the ledger stores; read for people or for proof.
STATEMENTS = "services/accounts/statements.py"
ALLOWED = (LEDGER, "services/accounts/journal.py", STATEMENTS)
SKIPPED = ("models", "migrations", "test", "bench", "node_modules", "static", "templates", "docs", "data")


def violations(source: str) -> list[str]:
    """What in this source writes cash or shares, with its line."""
    tree = ast.parse(source)
    aliases = _tables_by_name(tree)
    found = [finding for node in ast.walk(tree) for finding in _of(node, aliases)]
    return [f"line {line}: {what}" for line, what in sorted(found)]


def _of(node: ast.AST, aliases: set[str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in (leaf for one in targets for leaf in ast.walk(one)):
            if isinstance(target, ast.Attribute) and _is_column(target) and not isinstance(target.ctx, ast.Load):
                yield node.lineno, f"assigns to {ast.unparse(target)}"
    if isinstance(node, ast.Call):
        yield from _of_call(node, aliases)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_writing_sql(node.value):
        yield node.lineno, f"writes by SQL: {node.value[:60]}"


def _of_call(node: ast.Call, aliases: set[str]) -> Iterator[tuple[int, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    subjects = [*node.args[:1], *([owner] if owner is not None else [])]
    if name in WRITERS and any(_is_table(subject, aliases) for subject in subjects):
        yield node.lineno, f"writes a table of the ledger: {ast.unparse(node)[:60]}"
    if name in MODELS:
        yield node.lineno, f"makes a row of the ledger: {ast.unparse(node)[:60]}"
    if name == "setattr" and len(node.args) > 1 and getattr(node.args[1], "value", None) in COLUMNS | AMBIGUOUS_COLUMNS:
        yield node.lineno, f"assigns by name: {ast.unparse(node)[:60]}"
    if name == "values" and {keyword.arg for keyword in node.keywords} & COLUMNS:
        yield node.lineno, f"sets columns of the ledger: {ast.unparse(node)[-60:]}"


def _is_column(target: ast.Attribute) -> bool:
    if target.attr in COLUMNS:
        return True
    owner = ast.unparse(target.value).lower()
    return target.attr in AMBIGUOUS_COLUMNS and ("holding" in owner or "portfolio" in owner)


def _is_table(node: ast.expr, aliases: set[str]) -> bool:
    """Whether an expression is one of the ledger's models or tables, under whatever name this module knows it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in MODELS | aliases:
            return True
        if isinstance(part, ast.Attribute) and part.attr in MODELS | TABLES:
            return True
        if isinstance(part, ast.Constant) and part.value in TABLES:
            return True
    return False


def _tables_by_name(tree: ast.Module) -> set[str]:
    """Names that the module gives to the ledger's models and tables: imports under another name, assignments."""
    aliases = {
        name.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in MODELS and name.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _names_a_table(node.value, aliases):
            aliases |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return aliases


def _names_a_table(node: ast.expr, aliases: set[str]) -> bool:
    """`AccountBalance.__table__`, `cast(Table, AccountBalance.__table__)`, `metadata.tables["portfolio"]`."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "cast":
        return any(_names_a_table(argument, aliases) for argument in node.args)
    if isinstance(node, ast.Attribute) and node.attr == "__table__":
        return _is_table(node.value, aliases)
    if isinstance(node, ast.Subscript):
        return getattr(node.slice, "value", None) in TABLES
    return isinstance(node, ast.Name) and node.id in MODELS | aliases


def _is_writing_sql(text: str) -> bool:
    words = text.lower().replace("`", " ").replace('"', " ").split()
    verbs = {"insert", "update", "delete", "replace"}
    return bool(words) and words[0] in verbs and bool(TABLES & set(words[:4]))


def modules() -> list[str]:
    rooms = (room for room in ROOT.iterdir() if room.is_dir() and room.name not in SKIPPED and room.name[0] != ".")
    paths = [*ROOT.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@pytest.mark.parametrize("module", [module for module in modules() if module not in ALLOWED])
def test_no_other_module_writes_cash_or_shares(module: str) -> None:
    assert violations((ROOT / module).read_text(encoding="utf-8")) == []


def test_the_walk_covers_the_whole_source() -> None:
    found = modules()
    assert {LEDGER, "services/trading/settlement.py", "tasks/order_processor.py", "routes/user/order.py"} <= set(found)
    assert len(found) > 50


def test_the_ledger_itself_is_caught() -> None:
    """The check sees what it looks for: the one writer writes."""
    assert len(violations((ROOT / LEDGER).read_text(encoding="utf-8"))) >= 5


PLANTED = {
    "attribute": "def pay(balance):\n    balance.available_balance -= 5\n",
    "several at once": "balance.frozen_balance, rest = 0, 1\n",
    "holding": "holding.quantity = 3\n",
    "by name": "setattr(row, 'total_cost', 0)\n",
    "update of a model": "session.execute(update(Portfolio).where(Portfolio.user_id == 1).values(average_price=1))\n",
    "update of a table": "table = AccountBalance.__table__\nsession.execute(table.update().values(x=1))\n",
    "insert under another name": "from models import LedgerEntry as Line\nsession.execute(insert(Line), rows)\n",
    "cast": "_B = cast(Table, LedgerEntry.__table__)\nsession.execute(delete(_B))\n",
    "metadata": 'portfolio = metadata.tables["portfolio"]\nsession.execute(insert(portfolio), rows)\n',
    "query": "session.query(Portfolio).filter_by(user_id=1).delete()\n",
    "row": "session.add(AccountBalance(user_id=1))\n",
    "bulk": "session.bulk_insert_mappings(LedgerEntry, rows)\n",
    "SQL": "session.execute(text('UPDATE account_balance SET x = 1'))\n",
    "SQL with quotes": "connection.exec_driver_sql('DELETE FROM `portfolio`')\n",
}
HARMLESS = {
    "reading": "cash = balance.available_balance\nselect(Portfolio.quantity).where(Portfolio.user_id == 1)\n",
    "another table": "session.execute(update(Order).values(order_quantity=1))\n",
    "an order": "order.quantity -= 1\n",
    "a local name": "total_cost = 0\n",
    "reading by SQL": "text('SELECT 1 FROM portfolio')\n",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_write_is_found(name: str) -> None:
    assert violations(PLANTED[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_what_writes_nothing_is_left_alone(name: str) -> None:
    assert violations(HARMLESS[name]) == []


def test_only_the_ledger_runs_the_statements_that_write_cash_and_shares() -> None:
    importers = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0] not in (*SKIPPED, ".venv")
        and "services.accounts.statements" in path.read_text(encoding="utf-8")
    ]
    assert importers == [LEDGER]
