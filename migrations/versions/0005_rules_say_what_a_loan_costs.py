"""Dated rules say what a loan costs and who may have it; a town's price names the council's decision."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run("""
    CREATE TABLE rules (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        shape text NOT NULL CHECK (shape IN ('tariff', 'gate')),
        title text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 200),
        resource_id bigint REFERENCES resources,  -- nothing: every resource of the lender
        category text CHECK (length(category) BETWEEN 1 AND 80),  -- or those of one category
        class text CHECK (class IN ('town', 'local-association', 'inhabitant', 'firm', 'outside')),  -- nothing: everybody
        starts_on date NOT NULL,
        ends_on date CHECK (ends_on >= starts_on),
        -- a tariff
        community_id bigint REFERENCES communities,
        minutes bigint CHECK (minutes BETWEEN 0 AND 100000),
        per text CHECK (per IN ('hour', 'half-day', 'day', 'item', 'flat')),
        decision_number text CHECK (length(btrim(decision_number)) BETWEEN 1 AND 80),
        decision_date date,
        -- a gate
        gate text CHECK (gate IN ('balance', 'nothing-overdue')),
        least_balance bigint,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        written_at timestamptz NOT NULL,
        CHECK (resource_id IS NULL OR category IS NULL),
        CHECK ((shape = 'tariff') = (minutes IS NOT NULL AND per IS NOT NULL)),
        CHECK (shape <> 'tariff' OR minutes = 0 OR community_id IS NOT NULL),
        CHECK ((shape = 'gate') = (gate IS NOT NULL)),
        CHECK ((gate = 'balance') IS NOT TRUE OR (least_balance IS NOT NULL AND community_id IS NOT NULL)),
        CHECK ((decision_number IS NULL) = (decision_date IS NULL))
    );
    CREATE INDEX rules_lender_id_idx ON rules (lender_id);

    -- Equal access of associations (CGCT L.2144-3): a public lender asks for minutes only by a decision of its council.
    CREATE FUNCTION require_council_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.shape = 'tariff' AND NEW.minutes > 0 AND NEW.decision_number IS NULL AND EXISTS (
            SELECT FROM organisations o WHERE o.party_id = NEW.lender_id AND o.kind = 'authority') THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'council-decision-missing', DETAIL = '{}';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER public_price_names_its_decision BEFORE INSERT OR UPDATE ON rules
        FOR EACH ROW EXECUTE FUNCTION require_council_decision();
    """)
    grant("SELECT, INSERT", "rules")
    grant("UPDATE (ends_on)", "rules")


def downgrade() -> None:
    run("DROP TABLE rules; DROP FUNCTION require_council_decision();")
