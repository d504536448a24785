"""People act for parties: themselves, a household, an association, a town, a community.

A party is who something belongs to; a sign-in is who types; a mandate says what a sign-in may do for a party.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0001"
down_revision = None


def upgrade() -> None:
    run("""
    CREATE EXTENSION IF NOT EXISTS btree_gist;
    CREATE EXTENSION IF NOT EXISTS citext;
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE EXTENSION IF NOT EXISTS unaccent;

    -- "Élodie" sorts with "Elodie": unaccent() is only STABLE, because its dictionary could change; ours doesn't.
    CREATE FUNCTION sort_key(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        RETURN lower(public.unaccent('public.unaccent'::regdictionary, $1));

    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'written-once',
            DETAIL = format('%s of %I.%I is refused: its rows are written once', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    END $$;

    CREATE TABLE territory (
        id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),  -- an install serves one
        name text NOT NULL,
        zone text NOT NULL DEFAULT 'Europe/Paris'
    );

    CREATE TABLE parties (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        kind text NOT NULL CHECK (kind IN ('person', 'organisation', 'community', 'system')),
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
        sort_name text NOT NULL GENERATED ALWAYS AS (sort_key(name)) STORED,
        created_at timestamptz NOT NULL
    );
    CREATE INDEX parties_sort_name_idx ON parties (sort_name);

    -- What a person shows of themselves, field by field; apart from the books, so that it can be erased.
    CREATE TABLE profiles (
        party_id bigint PRIMARY KEY REFERENCES parties,
        about text NOT NULL DEFAULT '' CHECK (length(about) <= 2000),
        area text NOT NULL DEFAULT '' CHECK (length(area) <= 200),
        phone text NOT NULL DEFAULT '' CHECK (length(phone) <= 40),
        email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
        shown text[] NOT NULL DEFAULT '{}' CHECK (shown <@ ARRAY['about', 'area', 'phone', 'email'])
    );

    CREATE TABLE organisations (
        party_id bigint PRIMARY KEY REFERENCES parties,
        kind text NOT NULL CHECK (kind IN ('association', 'firm', 'school', 'authority', 'social-centre')),
        class text NOT NULL CHECK (class IN ('town', 'local-association', 'firm', 'outside')),
        about text NOT NULL DEFAULT '' CHECK (length(about) <= 2000),
        contact text NOT NULL DEFAULT '' CHECK (length(contact) <= 254)
    );

    CREATE TABLE communities (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        party_id bigint NOT NULL UNIQUE REFERENCES parties,
        system_party_id bigint NOT NULL UNIQUE REFERENCES parties,
        unit_one text NOT NULL DEFAULT 'marron',
        unit_many text NOT NULL DEFAULT 'marrons',
        welcome text NOT NULL DEFAULT '',
        answer_days integer NOT NULL DEFAULT 30 CHECK (answer_days BETWEEN 1 AND 366),
        opened_at timestamptz NOT NULL
    );

    CREATE TABLE sign_ins (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_name citext NOT NULL UNIQUE CHECK (user_name ~ '^[[:alnum:]][[:alnum:]._-]{1,39}$'),
        email text CHECK (length(email) <= 254),
        password text,
        active boolean NOT NULL DEFAULT true,
        fs_uniquifier text NOT NULL UNIQUE,
        language text NOT NULL DEFAULT 'fr',
        created_at timestamptz NOT NULL
    );

    CREATE TABLE mandates (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sign_in_id bigint NOT NULL REFERENCES sign_ins,
        party_id bigint NOT NULL REFERENCES parties,
        role text NOT NULL CHECK (role IN
            ('member', 'delegate', 'officer', 'facilitator', 'treasurer', 'auditor', 'administrator')),
        starts_on date NOT NULL,
        ends_on date CHECK (ends_on >= starts_on),
        granted_at timestamptz NOT NULL,
        granted_by bigint REFERENCES sign_ins  -- nobody: the installer
    );
    CREATE INDEX mandates_sign_in_id_idx ON mandates (sign_in_id);
    CREATE INDEX mandates_party_id_idx ON mandates (party_id);

    CREATE TABLE applications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        community_id bigint NOT NULL REFERENCES communities,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
        email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
        phone text NOT NULL DEFAULT '' CHECK (length(phone) <= 40),
        message text NOT NULL DEFAULT '' CHECK (length(message) <= 2000),
        asked_at timestamptz NOT NULL,
        CHECK (email <> '' OR phone <> '')
    );
    CREATE INDEX applications_community_id_idx ON applications (community_id);
    CREATE TABLE application_decisions (
        application_id bigint PRIMARY KEY REFERENCES applications,
        verdict text NOT NULL CHECK (verdict IN ('accepted', 'declined')),
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
        party_id bigint UNIQUE REFERENCES parties,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        decided_at timestamptz NOT NULL,
        CHECK ((verdict = 'accepted') = (party_id IS NOT NULL))
    );
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON application_decisions
        FOR EACH ROW EXECUTE FUNCTION refuse_change();

    -- Who changed a profile: the facilitator does it for people without internet, and they may ask who did.
    CREATE TABLE profile_edits (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        party_id bigint NOT NULL REFERENCES parties,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        edited_at timestamptz NOT NULL
    );
    CREATE INDEX profile_edits_party_id_idx ON profile_edits (party_id);

    -- Somebody is signed in on a browser as long as the row stands; the cookie holds the secret, we its digest.
    CREATE TABLE open_sessions (
        digest bytea PRIMARY KEY CHECK (length(digest) = 32),
        sign_in_id bigint NOT NULL REFERENCES sign_ins,
        opened_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    );
    CREATE INDEX open_sessions_sign_in_id_idx ON open_sessions (sign_in_id);

    CREATE TABLE access_tokens (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sign_in_id bigint NOT NULL REFERENCES sign_ins,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 80),
        digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
    );
    CREATE INDEX access_tokens_sign_in_id_idx ON access_tokens (sign_in_id);
    """)
    grant("SELECT", "territory")
    grant("SELECT, INSERT, UPDATE", "parties", "profiles", "organisations", "sign_ins", "mandates", "access_tokens")
    grant("SELECT, INSERT, DELETE", "open_sessions")
    grant("SELECT", "communities")
    grant("SELECT, INSERT", "applications", "application_decisions", "profile_edits")


def downgrade() -> None:
    run("""
    DROP TABLE access_tokens, open_sessions, profile_edits, application_decisions, applications, mandates, sign_ins, communities, organisations,
        profiles, parties, territory;
    DROP FUNCTION refuse_change();
    DROP FUNCTION sort_key(text);
    """)
