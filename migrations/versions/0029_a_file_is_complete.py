"""Documents: what a lender asks people to give for what it lends, what they gave, and when each request's file is whole.

A document belongs to a party and to a kind: one certificate serves all that its party asks for until its date. What a
request asks for is frozen with it. Files can be deleted, since they name people; that they were given stays written.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0029"
down_revision = "0028"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""
ONCE = (
    "document_versions", "document_version_resources", "booking_documents", "documents", "document_checks",
)  # fmt: skip
ERASED = ("document_files", "document_reasons")  # after some time, or with the person
REMINDED = ("file_reminders", "document_reminders")


def upgrade() -> None:
    run(f"""
    CREATE TABLE document_kinds (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties
    );
    CREATE INDEX document_kinds_lender_id_idx ON document_kinds (lender_id);

    CREATE TABLE document_versions (  -- of a kind: the last one binds, what was asked keeps its own
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind_id bigint NOT NULL REFERENCES document_kinds,
        number integer NOT NULL CHECK (number > 0),
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 120),
        help text NOT NULL DEFAULT '' CHECK (length(help) <= 1000),
        expires boolean NOT NULL,  -- it is given with the last day on which it is valid
        verified boolean NOT NULL,  -- it counts once the lender's office has looked at it
        classes text[] NOT NULL DEFAULT '{{}}' CHECK (array_position(classes, NULL) IS NULL),  -- none: everybody
        categories text[] NOT NULL DEFAULT '{{}}' CHECK (array_position(categories, NULL) IS NULL),
        asked boolean NOT NULL,  -- false: it isn't asked for any more
        {BY},
        written_at timestamptz NOT NULL,
        CONSTRAINT document_versions_once UNIQUE (kind_id, number),
        UNIQUE (kind_id, id)
    );
    CREATE TABLE document_version_resources (  -- with no category and none of these: all that is lent
        version_id bigint REFERENCES document_versions,
        resource_id bigint REFERENCES resources,
        PRIMARY KEY (version_id, resource_id)
    );

    CREATE TABLE booking_documents (  -- what is asked for with a request, as it was on that day
        booking_id bigint REFERENCES bookings,
        kind_id bigint,
        version_id bigint NOT NULL,
        PRIMARY KEY (booking_id, kind_id),
        FOREIGN KEY (kind_id, version_id) REFERENCES document_versions (kind_id, id)
    );
    CREATE INDEX booking_documents_kind_id_idx ON booking_documents (kind_id);

    CREATE TABLE documents (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        party_id bigint NOT NULL REFERENCES parties,
        kind_id bigint NOT NULL REFERENCES document_kinds,
        source text NOT NULL CHECK (source IN ('file', 'paper')),  -- paper: the office has seen it
        valid_until date,
        {BY},
        given_at timestamptz NOT NULL
    );
    CREATE INDEX documents_of_a_party ON documents (party_id, kind_id);
    CREATE TABLE document_files (  -- a PDF that was written again, whatever was given
        document_id bigint PRIMARY KEY REFERENCES documents,
        data bytea NOT NULL CHECK (octet_length(data) <= 12582912),
        pages integer NOT NULL CHECK (pages BETWEEN 1 AND 30)
    );
    ALTER TABLE document_files ALTER data SET STORAGE EXTERNAL;  -- compressed already
    CREATE TABLE document_checks (  -- by the lender's office: what was verified may still be refused, not the reverse
        document_id bigint REFERENCES documents,
        verdict text CHECK (verdict IN ('verified', 'refused')),
        {BY},
        checked_at timestamptz NOT NULL,
        CONSTRAINT document_checks_once PRIMARY KEY (document_id, verdict)
    );
    CREATE TABLE document_reasons (
        document_id bigint PRIMARY KEY REFERENCES documents,
        reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 1 AND 400)
    );
    CREATE TABLE file_reminders (  -- a letter was written, so many days before
        booking_id bigint REFERENCES bookings,
        days integer,
        written_at timestamptz NOT NULL,
        PRIMARY KEY (booking_id, days)
    );
    CREATE TABLE document_reminders (
        document_id bigint PRIMARY KEY REFERENCES documents,
        written_at timestamptz NOT NULL
    );

    -- Each document that a request asks for, with the one that serves it best and where that stands.
    CREATE VIEW booking_papers AS
    SELECT b.id AS booking_id, b.lender_id, b.party_id, k.id AS kind_id, k.token AS kind, v.name, v.help, v.expires,
           v.verified, span.last_day, d.id AS document_id, d.token AS document, d.source, d.valid_until, d.given_at,
           d.usable_since,
           CASE WHEN d.id IS NULL THEN 'lacking' WHEN d.refused THEN 'refused' WHEN NOT d.usable THEN 'expired'
                WHEN v.verified AND NOT d.seen THEN 'unverified' ELSE 'good' END AS state
      FROM booking_documents bd
      JOIN bookings b ON b.id = bd.booking_id
      JOIN document_versions v ON v.id = bd.version_id
      JOIN document_kinds k ON k.id = bd.kind_id
     CROSS JOIN LATERAL (
           SELECT ((b.ends_at - interval '1 microsecond') AT TIME ZONE b.zone)::date AS last_day) span
      LEFT JOIN LATERAL (
           SELECT x.*, min(x.given_at) FILTER (WHERE x.usable) OVER () AS usable_since
             FROM (SELECT d.id, d.token, d.source, d.valid_until, d.given_at, r.document_id IS NOT NULL AS refused,
                          d.source = 'paper' OR s.document_id IS NOT NULL AS seen,
                          r.document_id IS NULL
                          AND (NOT v.expires OR coalesce(d.valid_until >= span.last_day, false)) AS usable
                     FROM documents d
                     LEFT JOIN document_checks r ON r.document_id = d.id AND r.verdict = 'refused'
                     LEFT JOIN document_checks s ON s.document_id = d.id AND s.verdict = 'verified'
                    WHERE d.party_id = b.party_id AND d.kind_id = bd.kind_id
                      AND (d.source = 'paper' OR EXISTS (SELECT FROM document_files f WHERE f.document_id = d.id))) x
            ORDER BY x.usable DESC, x.seen DESC, x.id DESC LIMIT 1) d ON true;

    -- Since when all that a request asks for is given and holds until its end; nothing while something lacks.
    -- An office that takes its time to look doesn't change somebody's place.
    CREATE FUNCTION file_complete_at(p_booking bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
        SELECT CASE WHEN bool_or(p.kind_id IS NOT NULL AND p.state NOT IN ('good', 'unverified')) THEN NULL
                    ELSE greatest(b.asked_at, max(p.usable_since)) END
          FROM bookings b LEFT JOIN booking_papers p ON p.booking_id = b.id
         WHERE b.id = p_booking GROUP BY b.asked_at
    $$;

    CREATE FUNCTION guard_file() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_missing jsonb;
    BEGIN
        SELECT jsonb_agg(name ORDER BY kind_id) INTO v_missing
          FROM booking_papers WHERE booking_id = NEW.booking_id AND state <> 'good';
        IF v_missing IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'file-incomplete',
                DETAIL = jsonb_build_object('missing', v_missing)::text;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER with_its_file BEFORE INSERT ON booking_decisions FOR EACH ROW WHEN (NEW.verdict = 'accepted')
        EXECUTE FUNCTION guard_file();

    CREATE FUNCTION guard_booking_document() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM bookings b JOIN document_kinds k ON k.lender_id = b.lender_id
                        WHERE b.id = NEW.booking_id AND k.id = NEW.kind_id) THEN
            RAISE check_violation USING CONSTRAINT = 'booking_documents_of_their_lender', MESSAGE = 'another lender''s';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER of_one_lender BEFORE INSERT ON booking_documents FOR EACH ROW
        EXECUTE FUNCTION guard_booking_document();
    """)
    for table in ONCE:
        run(f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()")  # fmt: skip
    for table in ERASED:
        run(f"CREATE TRIGGER never_changed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    grant("SELECT, INSERT", "document_kinds", *ONCE, *REMINDED)
    grant("SELECT, INSERT, DELETE", *ERASED)
    grant("SELECT", "booking_papers")


def downgrade() -> None:
    run("""
    DROP TRIGGER with_its_file ON booking_decisions;
    DROP FUNCTION file_complete_at(bigint);
    DROP VIEW booking_papers;
    DROP TABLE document_reminders, file_reminders, document_reasons, document_checks, document_files, documents,
        booking_documents, document_version_resources, document_versions, document_kinds;
    DROP FUNCTION guard_file();
    DROP FUNCTION guard_booking_document();
    """)
