"""The flask commands. They call services like a route does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register_commands(app: Flask) -> None:
    """Give the application its commands: admin, ledger, market, settings, demo, assets, order-processor, chat."""
    from cli.admin import admin
    from cli.assets import assets
    from cli.chat import chat
    from cli.demo import demo
    from cli.ledger import ledger
    from cli.market import market
    from cli.order_processor import order_processor
    from cli.settings import settings

    for command in (admin, ledger, market, settings, demo, assets, order_processor, chat):
        app.cli.add_command(command)
