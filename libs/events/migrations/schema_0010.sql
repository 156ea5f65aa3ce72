-- A log that was restored into another server: there transaction ids begin anew, and what is
-- appended would seem older than what was told long ago. So each server that the log comes to
-- writes its own ids plus an offset which puts them behind all that lie there already.
alter table relay add column system_identifier text;
alter table relay add column xid_offset bigint not null default 0;

-- Below it, in the log's own count, nothing will appear any more.
create function log_horizon() returns xid8 language sql stable as $$
  select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset)::text::xid8
    from relay
$$;

-- Whether the log had come from another server, and was taken over by this one just now.
create function adopt_log() returns boolean language plpgsql as $$
declare
  here text := (select s.system_identifier::text from pg_control_system() s);
  known text;
  told relay%rowtype;
  highest bigint;
  last_pos bigint;
begin
  if (select system_identifier from relay) = here then
    return false;
  end if;
  lock table events in access exclusive mode;
  select * into told from relay for update;
  known := told.system_identifier;
  if known = here then
    return false;
  end if;
  select xid::text::bigint, pos into highest, last_pos
    from (select xid, pos from events union all select told.xid, told.pos) all_of_it
   order by xid desc, pos desc limit 1;
  -- A log that is at home already when this release comes to it.
  if known is null and highest < pg_snapshot_xmax(pg_current_snapshot())::text::bigint then
    update relay set system_identifier = here;
    return false;
  end if;
  execute format(
    'alter table events alter column xid set default'
    ' ((pg_current_xact_id()::text::bigint + %s)::text::xid8)', highest);
  -- What was appended here before this: it is told now, and a little of what was told is told again.
  update events set xid = (pg_current_xact_id()::text::bigint + highest)::text::xid8
   where pos > last_pos;
  update relay set system_identifier = here, xid_offset = highest;
  return true;
end
$$;
