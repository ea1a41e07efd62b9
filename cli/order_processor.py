"""`flask order-processor run`: the order processor as a process of its own, beside web workers without one."""

from __future__ import annotations

import signal
from threading import Thread
from types import FrameType

import click
from flask import Flask, current_app
from flask.cli import AppGroup

order_processor = AppGroup("order-processor", help="Fill resting orders in the background.")


@order_processor.command("run")
def run() -> None:
    """Run the order processor until SIGINT or SIGTERM. Start the web workers with RUN_ORDER_PROCESSOR=0 then."""
    from tasks.market_feed import start_market_feed
    from tasks.order_processor import OrderProcessor, processor_interval

    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    feed = start_market_feed(application, feeds=True)
    processor = OrderProcessor(
        application, application.extensions["market"], application.extensions["config"], processor_interval(application)
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # From another thread: the handler interrupts the very loop that waits for this event, with its lock in hand.
        Thread(target=processor.stop, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    click.echo("The order processor runs. Stop it with Ctrl-C.")
    try:
        processor.run_until_stopped()
    finally:
        feed.stop()
    click.echo("The order processor has ended.")
