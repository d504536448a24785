"""Who declared an exchange takes it back while nobody has answered."""

from __future__ import annotations

from migrations.helpers import run

revision = "0012"
down_revision = "0011"

_ANSWERS = """
    ALTER TABLE declaration_answers DROP CONSTRAINT declaration_answers_answer_check,
        ADD CONSTRAINT declaration_answers_answer_check CHECK (answer IN ({}));
"""


def upgrade() -> None:
    run(_ANSWERS.format("'confirmed', 'refused', 'expired', 'withdrawn'"))


def downgrade() -> None:
    run(_ANSWERS.format("'confirmed', 'refused', 'expired'"))
