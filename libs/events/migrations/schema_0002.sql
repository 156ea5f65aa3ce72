-- The alerts service's cues under watch: looked at when `due_at` comes (contract §9, missed_window).
create table cue_watches (
  cue_id text collate "C" primary key,
  account_id uuid not null,
  cron text not null,
  timezone text not null,
  since timestamptz not null,
  succeeded_at timestamptz,
  due_at timestamptz
) with (fillfactor = 80);
create index cue_watches_due on cue_watches (due_at) where due_at is not null;

-- Cues that are there already are watched from now on.
insert into cue_watches (cue_id, account_id, cron, timezone, since, due_at)
select id, account_id, schedule->>'cron', coalesce(schedule->>'timezone', 'UTC'), now(), now()
  from (select id, account_id, state->'facts'->'settings'->'schedule' as schedule
          from cues where status = 'active') active
 where schedule->>'cron' is not null;

create index alerts_latest on alerts (cue_id, kind, created_at, id);
create index alerts_of_execution on alerts (execution_id) where execution_id is not null;

-- Each execution, and when it succeeded in the sense of a missed window: there an ACK alone counts.
create view execution_successes as
  select id, account_id, cue_id, created_at,
         case when outcome_state in ('reported_success', 'verified_success', 'verification_pending')
              then (state->'facts'->'outcome'->>'recorded_at')::timestamptz
              when outcome_state is null or outcome_state = 'unknown'
              then (state->'facts'->>'delivered_at')::timestamptz
          end as succeeded_at
    from executions;

-- What is to be told to whom: one row for each thing and channel, due when it is next tried. Mails
-- beyond an account's hourly number are held, and go out together in a digest.
create table notifications (
  subject text collate "C" not null,
  channel text not null,
  kind text not null,
  account_id uuid not null,
  cue_id text collate "C",
  execution_id uuid,
  alert_id uuid,
  content json not null,
  status text not null default 'waiting',
  tries integer not null default 0,
  due_at timestamptz default now(),
  mailed_at timestamptz,
  digest text collate "C",
  error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (subject, channel)
);
create index notifications_due on notifications (due_at) where due_at is not null;
create index notifications_mailed on notifications (account_id, mailed_at)
  where mailed_at is not null;
create index notifications_held on notifications (account_id, created_at) where status = 'held';
create index notifications_of_workers on notifications (account_id, created_at)
  where kind = 'worker';
create unique index notifications_one_digest on notifications (account_id)
  where kind = 'digest' and status = 'waiting';

-- The secrets that sign what goes to accounts' alert webhooks; made when first needed.
create table alert_webhook_secrets (
  account_id uuid primary key,
  secret_sealed bytea not null,
  created_at timestamptz not null default now()
);

create view alert_targets as
  select account_id, email, email_notifications, alert_webhook_url from identities;

create index usage_in_grace on usage (grace_started_at) where grace_started_at is not null;
