-- Documents that are only ever written and read whole are `json`: kept as the text that they are,
-- where `jsonb` would take them apart and put them together again.
--
-- The log: one row an event, never changed. A stream lies whole in the partition of the month in
-- which it began (`month`), so that (stream, version) is unique within and across partitions and a
-- month is archived with whole streams in it. Streams without an end (accounts, cues) lie in
-- `events_lasting`.
create sequence events_pos;
create table events (
  pos bigint not null default nextval('events_pos'),
  xid xid8 not null default pg_current_xact_id(),
  id uuid not null,
  month date not null,
  stream_id text collate "C" not null,
  version integer not null,
  type text not null,
  schema_version smallint not null,
  account_id uuid not null,
  data json not null,
  meta json not null,
  recorded_at timestamptz not null,
  primary key (stream_id, version, month)
) partition by range (month);
create index events_in_commit_order on events (xid, pos);
create table events_lasting partition of events for values from (minvalue) to ('2000-01-01');
create table events_unforeseen partition of events default;

create table command_results (
  command_id uuid primary key,
  account_id uuid not null,
  idempotency_key text,
  request_hash text,
  reply json not null,
  created_at timestamptz not null
);
create unique index command_results_by_key on command_results (account_id, idempotency_key)
  where idempotency_key is not null;
create index command_results_by_age on command_results (created_at);

create table blobs (
  account_id uuid not null,
  sha256 bytea not null,
  body bytea not null,
  primary key (account_id, sha256)
);

create table accounts (
  id uuid primary key,
  account_id uuid not null,
  plan text not null,
  created_at timestamptz not null,
  version integer not null,
  state json not null
);

create table cues (
  id text collate "C" primary key,
  account_id uuid not null,
  name text not null,
  status text not null,
  next_run timestamptz,
  settling_id uuid,
  verification text not null,
  created_at timestamptz not null,
  version integer not null,
  state json not null
) with (fillfactor = 80);
create unique index cues_by_name on cues (account_id, name) where status <> 'deleted';
create index cues_due on cues (next_run) where next_run is not null;
create index cues_settling on cues (settling_id) where settling_id is not null;
create index cues_of_account on cues (account_id, created_at, id) where status <> 'deleted';

create table executions (
  id uuid primary key,
  account_id uuid not null,
  cue_id text collate "C" not null,
  transport text not null,
  status text not null,
  triggered_by text not null,
  scheduled_for timestamptz not null,
  created_at timestamptz not null,
  delivery_due_at timestamptz,
  outcome_due_at timestamptz,
  claimable_at timestamptz,
  outcome_state text,
  result_type text,
  has_evidence boolean not null,
  worker_id text,
  claimed_at timestamptz,
  task text,
  agent text,
  version integer not null,
  state json not null
) with (fillfactor = 80);
create unique index executions_one_per_slot on executions (cue_id, scheduled_for)
  where triggered_by in ('scheduled', 'catch_up');
create index executions_delivery_due on executions (delivery_due_at)
  where delivery_due_at is not null;
create index executions_outcome_due on executions (outcome_due_at)
  where outcome_due_at is not null;
create index executions_claimable on executions (account_id, scheduled_for, id)
  where claimable_at is not null;
create index executions_of_account on executions (account_id, created_at, id);
create index executions_of_cue on executions (cue_id, created_at, id);

create table alerts (
  id uuid primary key,
  account_id uuid not null,
  cue_id text collate "C" not null,
  kind text not null,
  episode text not null,
  execution_id uuid,
  acknowledged_at timestamptz,
  created_at timestamptz not null,
  version integer not null,
  state json not null
);
create unique index alerts_one_per_episode on alerts (cue_id, kind, episode);
create index alerts_of_account on alerts (account_id, created_at, id);

-- Counted in the transaction that makes what they count; rebuilt from the log.
create table usage (
  account_id uuid not null,
  period date not null,
  executions integer not null,
  grace_started_at timestamptz,
  primary key (account_id, period)
) with (fillfactor = 70);
create table cue_activity (
  cue_id text collate "C" primary key,
  account_id uuid not null,
  run_count integer not null,
  last_run timestamptz
) with (fillfactor = 70);

-- Machinery.
create table relay (
  only_row boolean primary key default true check (only_row),
  xid xid8 not null default '0',
  pos bigint not null default 0,
  stream_created_at text not null default '',
  last_sequence bigint not null default 0,
  acknowledged_sequence bigint not null default 0,
  moved_at timestamptz not null default now()
);
insert into relay default values;
create table relay_trail (
  sequence bigint primary key,
  xid xid8 not null,
  pos bigint not null
);
create table poller (
  only_row boolean primary key default true check (only_row),
  last_run timestamptz not null,
  cues_last_cycle integer not null,
  cycle_duration_ms integer not null
);
create table parked_messages (
  id bigint generated always as identity primary key,
  consumer text not null,
  subject text not null,
  body bytea not null,
  error text not null,
  parked_at timestamptz not null default now()
);

-- The dispatcher's registry of workers.
create table workers (
  account_id uuid not null,
  worker_id text not null,
  handlers jsonb,
  registered_at timestamptz not null,
  last_heartbeat_at timestamptz not null,
  primary key (account_id, worker_id)
) with (fillfactor = 70);

-- The api's identities, keys and rate windows.
create table identities (
  account_id uuid primary key,
  email text not null unique,
  email_notifications boolean not null default true,
  alert_webhook_url text,
  webhook_secret_sealed bytea not null,
  previous_webhook_secret_sealed bytea,
  previous_secret_expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table api_keys (
  id uuid primary key,
  account_id uuid not null,
  hash bytea not null unique,
  prefix text not null,
  label text not null,
  is_default boolean not null default false,
  status text not null default 'active',
  created_by text not null,
  sealed bytea,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_reason text
);
create index api_keys_of_account on api_keys (account_id, created_at);
create unlogged table rate_windows (
  subject text primary key,
  hits timestamptz[] not null
) with (fillfactor = 50);

-- The published read model: what one service may read of another.
create view api_cues as
  select c.id, c.account_id, c.name, c.status, c.next_run, c.created_at, c.version, c.state,
         coalesce(a.run_count, 0) as run_count, a.last_run
    from cues c left join cue_activity a on a.cue_id = c.id
   where c.status <> 'deleted';
create view api_executions as
  select e.*, c.name as cue_name
    from executions e join cues c on c.id = e.cue_id
   where c.status <> 'deleted' and e.status <> 'cancelled';
create view execution_states as
  select id, account_id, cue_id, status, created_at, version, state from executions;
create view api_alerts as
  select a.*, c.name as cue_name from alerts a left join cues c on c.id = a.cue_id;
create view api_workers as
  select account_id, worker_id, handlers, registered_at, last_heartbeat_at from workers;
create view api_usage as select account_id, period, executions, grace_started_at from usage;
create view api_events as
  select pos, xid, id, stream_id, version, type, schema_version, account_id, data, meta, recorded_at
    from events;
create view api_poller as select last_run, cues_last_cycle, cycle_duration_ms from poller;
create view api_queue as
  select (select count(*) from (
            select 1 from events e, relay r
             where (e.xid, e.pos) > (r.xid, r.pos) limit 10000) waiting) as pending_outbox,
         (select count(*) from executions
           where delivery_due_at < now() - interval '60 seconds') as stale_executions,
         (select count(*) from executions
           where delivery_due_at is not null and status = 'retrying') as pending_retries,
         (select count(*) from executions where claimable_at <= now()) as pending_worker_claims;
create view account_plans as select id as account_id, plan from accounts;
create view cue_settings as
  select id as cue_id, account_id, status, verification, version, state from cues;
create view webhook_secrets as
  select account_id, webhook_secret_sealed as secret_sealed,
         previous_webhook_secret_sealed as previous_sealed,
         previous_secret_expires_at as previous_expires_at
    from identities;
