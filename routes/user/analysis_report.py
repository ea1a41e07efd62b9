"""The AI report of the analysis page: made on the server, streamed as it is written, and as a file."""

from __future__ import annotations

from flask import Response, current_app
from flask_login import current_user

from auth.permissions import user_required
from models import db
from routes.contract.asked import RiskBody
from routes.contract.operations import read_body
from routes.shared import market, settings
from routes.user import user_bp
from routes.user.ai_assistant import asker, assistant, event_stream, stream_event, stream_of
from services.market.hours import exchange_day


@user_bp.post("/api/analysis_report")
@user_required
def analysis_report() -> Response:
    """The question of stock_analysis, answered in words as server-sent events: html, then done or failed. The same
    figures and thresholds get the stored report again.
    """
    from services.analysis import risk
    from services.analysis.questions import parse_risk
    from services.assistant import reports

    question = parse_risk(read_body(RiskBody).given(), exchange_day(market().now()), settings().risk_free_rate)
    if question.portfolio:
        found = risk.analyse_holdings(db.session, market(), current_user.id, question)
    else:
        found = risk.analyse(db.session, market(), question)
    basis = reports.basis_of(db.session, current_user.id, found, settings().gemini_model)
    stored = reports.find(db.session, current_user.id, basis)
    if stored is not None:
        return event_stream(iter([stream_event("done", reports.view(stored), current_app.json.dumps)]))
    db.session.close()
    return stream_of(reports.start(assistant(), asker(), basis))


@user_bp.get("/api/analysis_report/<row:report_id>")
@user_required
def analysis_report_file(report_id: int) -> Response:
    """A stored report as a Markdown file."""
    from services.assistant import reports

    text = reports.as_file(reports.read(db.session, current_user.id, report_id))
    headers = {"Content-Disposition": f'attachment; filename="risk-report-{report_id}.md"'}
    return Response(text, mimetype="text/markdown", headers=headers)
