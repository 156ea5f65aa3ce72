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
