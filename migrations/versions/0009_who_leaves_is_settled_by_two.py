"""What remains on the account of somebody who leaves goes to, or comes from, the common account: two people decide it."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run("""
    CREATE TABLE settlements (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        community_id bigint NOT NULL,
        account_id bigint NOT NULL,
        minutes bigint NOT NULL CHECK (minutes <> 0),  -- the balance that is settled
        reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 400),
        proposed_at timestamptz NOT NULL,
        by_sign_in bigint NOT NULL REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint NOT NULL REFERENCES mandates,
        UNIQUE (id, by_sign_in),
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id)
    );
    CREATE INDEX settlements_account_id_idx ON settlements (account_id);
    CREATE TABLE settlement_approvals (
        settlement_id bigint PRIMARY KEY,
        proposed_by bigint NOT NULL,
        entry_id bigint NOT NULL UNIQUE REFERENCES books.entries,
        approved_at timestamptz NOT NULL,
        by_sign_in bigint NOT NULL REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint NOT NULL REFERENCES mandates,
        FOREIGN KEY (settlement_id, proposed_by) REFERENCES settlements (id, by_sign_in),
        CONSTRAINT settlement_approvals_by_another CHECK (by_sign_in <> proposed_by)
    );
    """)
    for table in ("settlements", "settlement_approvals"):
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        """)
    grant("SELECT, INSERT", "settlements", "settlement_approvals")
    grant("USAGE", "SEQUENCE settlements_id_seq")


def downgrade() -> None:
    run("DROP TABLE settlement_approvals, settlements")
