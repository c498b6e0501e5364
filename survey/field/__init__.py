"""The field work of a wave on paper: its board, interviewers' own lots, quotas and people."""

from __future__ import annotations

from flask import Blueprint

from survey.field import board, interviewers, mine, people, quotas, reminders

bp = Blueprint("field", __name__)

bp.add_url_rule("/field", "board", board.board)
bp.add_url_rule("/field/mine", "mine", mine.mine)
bp.add_url_rule("/field/mine/<int:number>", "mark", mine.mark, methods=["POST"])
bp.add_url_rule("/field/interviewers", "interviewers", interviewers.interviewers)
bp.add_url_rule("/field/quotas", "quotas", quotas.quotas)
bp.add_url_rule("/field/quotas", "set_quotas", quotas.change, methods=["POST"])
bp.add_url_rule("/field/reminders", "reminders", reminders.reminders)
bp.add_url_rule("/field/reminders.csv", "reminders_csv", reminders.csv)
bp.add_url_rule("/field/people", "people", people.listed)
bp.add_url_rule("/field/people", "add_person", people.add, methods=["POST"])
bp.add_url_rule("/field/people/<int:number>", "change_person", people.change, methods=["POST"])
