"""A file that somebody already has becomes rooms and things, line by line, with a report."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run("""
    CREATE TABLE imports (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        file_name text NOT NULL CHECK (length(file_name) <= 200),
        sha256 bytea NOT NULL,
        data bytea NOT NULL CHECK (length(data) <= 5242880),
        mapping jsonb,
        choices jsonb NOT NULL DEFAULT '{}',
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        uploaded_at timestamptz NOT NULL,
        total integer,
        done integer NOT NULL DEFAULT 0,
        started_at timestamptz,
        finished_at timestamptz,
        failure text
    );
    CREATE INDEX imports_lender_id_idx ON imports (lender_id);
    CREATE TABLE import_lines (
        import_id bigint NOT NULL REFERENCES imports,
        line integer NOT NULL,
        name text NOT NULL,
        status text NOT NULL CHECK (status IN ('created', 'changed', 'unchanged', 'left-out', 'refused')),
        reasons jsonb NOT NULL DEFAULT '[]',
        resource_id bigint REFERENCES resources,
        PRIMARY KEY (import_id, line)
    );
    -- What a file said last of each resource: a later file changes what it says anew, never what was edited since.
    CREATE TABLE import_origins (
        resource_id bigint PRIMARY KEY REFERENCES resources,
        said jsonb NOT NULL
    );
    CREATE TABLE import_mappings (
        lender_id bigint NOT NULL REFERENCES parties,
        fingerprint text NOT NULL,
        mapping jsonb NOT NULL,
        PRIMARY KEY (lender_id, fingerprint)
    );
    """)
    grant("SELECT, INSERT, UPDATE", "imports", "import_origins", "import_mappings")
    grant("SELECT, INSERT", "import_lines")


def downgrade() -> None:
    run("DROP TABLE import_mappings, import_origins, import_lines, imports")
