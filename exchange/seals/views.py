"""Pages of the seals: what everybody may know of the books, the proof of one line, the export for those entitled."""

from __future__ import annotations

import tempfile
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from exchange import clock, idempotency
from exchange.db import db, transaction, unhurried
from exchange.errors import Invalid, NotAllowed, NotFound, NotSealed
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.paging import digits, older_than
from exchange.seals import operations, queries
from exchange.seals.forms import ExportForm, OpeningForm
from exchange.security import OFFICES, Office, auth_required, held, office, own, today
from ledger import exports
from ledger.entries import Acting
from ledger.signatures import Checkpoint, Note
from ledger.store import reading, sealing

seals = Blueprint("seals", __name__)


def _entitled() -> Acting | None:
    """Who may take the whole books, by an office or where an assembly opened them to its members; None for others."""
    offices = [mandate for mandate in held() if mandate.role in OFFICES["books.export"]]
    members_ = [mandate for mandate in held() if mandate.role == "member"]
    if not queries.may_take(
        db.session(), offices={each.party_id for each in offices}, own={each.party_id for each in members_}
    ):
        return None
    mandate = (offices or members_)[0]
    return Acting(mandate.sign_in_id, mandate.party_id, mandate.id)


@seals.get("/livre")
def index() -> str:
    """How many facts, under which head, and what that proves to whom."""
    session = db.session()
    head, entitled = sealing.last_head(session), _entitled() if current_user.is_authenticated else None
    head = head and sealing.witnessed(session, head)
    taken = queries.downloads(session) if entitled else []
    found = sealing.heads(session, before=older_than(), most=26)
    return render_template(
        "seals/index.html", head=head, keys=sealing.keys(session), sums=queries.sums(session),
        communities={community.id: community for community in members.communities(session)},
        heads=found[:25], older=found[24].size if len(found) > 25 else None, newer=older_than() is not None,
        form=ExportForm(formdata=None) if entitled else None, taken=taken, openings=queries.openings(session),
        now=clock.now(),
        signers=members.signers(session, [each.by_sign_in for each in taken]),
        checkpoint=Checkpoint.parse(Note.parse(head.note).text) if head else None,
    )  # fmt: skip


@seals.get("/livre/tete")
def head() -> Response:
    """The newest head, as C2SP tlog-checkpoint has it, for programs and for whoever keeps it."""
    found = sealing.last_head(db.session())
    if found is None:
        raise NotFound
    return Response(sealing.witnessed(db.session(), found).note, mimetype="text/plain")


@seals.get("/livre/tetes/<int:size>")
def head_of(size: int) -> Response:
    """The head of a size, with what witnesses signed under it."""
    found = sealing.head_of(db.session(), size) if size < 2**63 else None
    if found is None:
        raise NotFound
    return Response(sealing.witnessed(db.session(), found).note, mimetype="text/plain")


@seals.post("/livre/exports")
@auth_required()
def export() -> Answer:
    """The whole books, up to the newest head. Who takes them is noted."""
    by = _entitled()
    if by is None:
        raise NotAllowed(roles=sorted(OFFICES["books.export"]))
    out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer, when it has been sent
    with transaction() as session:
        found = sealing.last_head(session)
        if found is None:
            raise NotSealed
        found = sealing.witnessed(session, found)
        unhurried(session)
        exports.write(out, sealing.lines(session, found), found.note)
        operations.note_download(session, found, by=by, at=clock.now())
    out.seek(0)
    return send_file(out, mimetype="application/jsonl", as_attachment=True, download_name=f"livre-{found.size}.jsonl")


@seals.get("/comptes/<account>/lignes/<int:seq>/preuve")
@auth_required()
def proof(account: str, seq: int) -> Response:
    """The proof that one line of a statement is in the books; ``depuis`` is the size of an earlier head."""
    session, scope = db.session(), own("account.export")
    found = reading.account_within(session, account, parties=scope.parties)
    entry = queries.entry_of(session, found, seq) if found and seq < 2**63 else None
    if entry is None:
        raise NotFound
    sealed = sealing.sealed(session, entry)
    if sealed is None:
        raise NotSealed
    since = None
    if given := request.args.get("depuis"):
        since = digits(given)
        if since is None or since > sealed.head.size:
            raise NotFound
    grown = sealing.consistency(session, since, sealed.head.size) if since is not None else []
    told = exports.Proof(sealed.line, sealed.place, sealed.proof, sealed.head.note, since, grown)
    answer = Response(exports.written(told), mimetype="application/json")
    answer.headers.set("Content-Disposition", "attachment", filename=_("preuve-%(entry)s.json", entry=entry))
    return answer


@seals.route("/administration/<community>/livre", methods=["GET", "POST"])
@auth_required()
def opening(community: str) -> Answer | str | tuple[str, int]:
    """What the assembly decided of the whole books: for the offices only, or for every member."""
    desk, session = office("books.open", community), db.session()
    view = members.community_by_token(session, community)
    if view is None:
        raise NotFound
    decided = queries.decisions(session, view.id)
    found = decided[0] if decided else None
    form = OpeningForm(whom="members" if found and found.to_members else "offices", decided_on=today())
    if request.method == "POST" and form.validate():
        try:
            return redirect(_opened(desk, view, form), 303)
        except Invalid as refused:
            form.refuse(refused)
    page = render_template("seals/opening.html", form=form, community=view, decided=decided)
    return (page, 422) if request.method == "POST" else page


def _opened(desk: Office, community: members.CommunityView, form: OpeningForm) -> str:
    told = {
        "to_members": form.whom.data == "members", "decided_on": form.decided_on.data, "decision": form.decision.data,
    }  # fmt: skip

    def do(session: Session, at: datetime) -> Done:
        operations.open_books(session, community=community.id, **told, today=today(), by=desk.by, at=at)
        flash(_("La décision est notée."), "success")
        return Done(url_for("seals.opening", community=community.token))

    content = idempotency.digest(request.path, told)
    return idempotency.once(do, party=desk.by.party, key=form.key.data, content=content).location or "/"
