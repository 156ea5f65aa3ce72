-- Run once after pg_restore into another server, before the services start.
--
-- The relay reads the log in the order of transaction ids, and a new server counts them from the
-- start: what is appended there would seem older than what was told long ago. So what came before
-- the oldest notice that somebody may have missed becomes transaction 1, what came after it 2, and
-- the relay goes on from there.
begin;

create temporary table told on commit drop as
select coalesce(t.xid, '0'::xid8) as xid, coalesce(t.pos, 0) as pos
  from relay r left join lateral (
    select xid, pos from relay_trail
     where sequence <= r.acknowledged_sequence order by sequence desc limit 1
  ) t on true;

update events e
   set xid = case when (e.xid, e.pos) <= (told.xid, told.pos) then '1'::xid8 else '2'::xid8 end
  from told;

truncate relay_trail;
insert into relay_trail (sequence, xid, pos) values (0, '1', 9223372036854775807);
update relay set xid = '1', pos = 9223372036854775807, stream_created_at = '', last_sequence = 0,
       acknowledged_sequence = 0, moved_at = now();

commit;
