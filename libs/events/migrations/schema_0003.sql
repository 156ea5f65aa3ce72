-- The api's: who pays, and when ended keys are erased.
alter table identities add column stripe_customer_id text unique;
create index api_keys_revoked on api_keys (revoked_at) where revoked_at is not null;

-- Sign-in by device code: pending, email_sent, approved, claimed. What is in links and tokens rests
-- hashed; the key that an approval found or made rests sealed until it is collected.
create table device_codes (
  code text primary key,
  status text not null default 'pending',
  email text,
  link_hash bytea,
  account_id uuid,
  session_hash bytea unique,
  browser_hash bytea unique,
  return_to text,
  return_state text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  claimed_at timestamptz
);
create index device_codes_by_age on device_codes (expires_at);

-- What the CLI's quickstart had sent to itself, for five minutes.
create unlogged table echoes (
  token text primary key,
  body bytea not null,
  headers json not null,
  received_at timestamptz not null
);
create index echoes_by_age on echoes (received_at);

create table support_tickets (
  id bigint generated always as identity primary key,
  account_id uuid not null,
  subject text not null,
  message text not null,
  severity text not null,
  type text not null,
  status text not null default 'open',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index support_tickets_of_account on support_tickets (account_id, created_at, id);
