"""What operators may do to a ticket, and the mail that tells of it. Pure (contract §4 "Ticket")."""

from __future__ import annotations

from typing import Literal

from libs.runtime.mail.letters import Content

TicketStatus = Literal["open", "in_progress", "resolved", "closed"]
_ORDER: tuple[TicketStatus, ...] = ("open", "in_progress", "resolved", "closed")


def may_move(before: str, after: TicketStatus) -> bool:
    """Whether a ticket may go from one status to another: only ahead."""
    return _ORDER.index(after) > [str(status) for status in _ORDER].index(before)


def reply_letter(ticket_id: int, subject: str, message: str, status: str) -> Content:
    """Tell the owner of a ticket what was answered, and how it stands."""
    return Content(
        title=f"Re: {subject} (ticket {ticket_id})",
        paragraphs=tuple(part.strip() for part in message.split("\n\n") if part.strip()),
        facts=(("Ticket", str(ticket_id)), ("Status", status.replace("_", " "))),
        footer="You get this because you opened a support ticket with your CueAPI account.",
    )
