-- What became of the executions made in a UTC month; counted in the transaction that decides it,
-- rebuilt from the log. `unreported` ended without an outcome: failed or missed.
create table outcome_counts (
  account_id uuid not null,
  period date not null,
  succeeded integer not null,
  failed integer not null,
  unreported integer not null,
  primary key (account_id, period)
) with (fillfactor = 70);
insert into outcome_counts
select account_id, period, count(*) filter (where success), count(*) filter (where not success),
       count(*) filter (where success is null and status in ('failed', 'missed'))
  from (select account_id, status, date_trunc('month', created_at at time zone 'utc')::date as period,
               (state -> 'facts' -> 'outcome' -> 'report' ->> 'success')::boolean as success
          from executions) made
 where success is not null or status in ('failed', 'missed')
 group by account_id, period;

create view api_outcomes as
  select account_id, period, succeeded, failed, unreported from outcome_counts;
