-- Lists that stay fast: a cue's name is read for the rows of a page alone, what deleted cues hide is
-- looked up among the deleted ones, and what went wrong can be found among much that went right.
create index cues_deleted on cues (account_id, id) where status = 'deleted';
create index executions_gone_wrong on executions (account_id, status, created_at, id)
  where status in ('failed', 'missed', 'outcome_timeout');
create index executions_to_look_at on executions (account_id, outcome_state, created_at, id)
  where outcome_state in
    ('reported_failure', 'verification_failed', 'verification_pending', 'unknown');

create or replace view api_executions as
  select e.*, (select c.name from cues c where c.id = e.cue_id) as cue_name
    from executions e
   where e.status <> 'cancelled'
     and not exists (select 1 from cues d
                      where d.id = e.cue_id and d.account_id = e.account_id
                        and d.status = 'deleted');
