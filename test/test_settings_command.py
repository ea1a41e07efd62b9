"""`flask settings`: a saved rule wins over the environment, and takes effect with the next order."""

from __future__ import annotations

from flask import Flask

from config import Config
from models import db
from services.trading.rules import TradingRules, read_rules


def rules(app: Flask, config: Config) -> TradingRules:
    with app.app_context():
        return read_rules(db.session(), config)


def test_a_saved_rule_wins_until_it_is_cleared(app: Flask, config: Config) -> None:
    runner = app.test_cli_runner()
    assert rules(app, config).profile.name == "standard"
    assert runner.invoke(args=["settings", "set", "realism_profile", "strict"]).exit_code == 0
    assert rules(app, config).profile.name == "strict"
    assert "saved setting" in runner.invoke(args=["settings", "show"]).output
    assert runner.invoke(args=["settings", "clear", "realism_profile"]).exit_code == 0
    assert rules(app, config).profile.name == "standard"


def test_a_wrong_value_is_refused_and_nothing_is_saved(app: Flask, config: Config) -> None:
    runner = app.test_cli_runner()
    answer = runner.invoke(args=["settings", "set", "concentration_limit", "1.5"])
    assert answer.exit_code == 1
    assert "concentration_limit must be a number from 0 to 1" in answer.output
    assert rules(app, config).concentration_limit == 0


def test_only_rules_can_be_set(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["settings", "set", "secret_key", "x"]).exit_code == 2
