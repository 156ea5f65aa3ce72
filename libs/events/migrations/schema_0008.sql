-- An account is erased a chunk at a time: when that has ended, nothing of it is left.
alter table erased_accounts add column finished_at timestamptz;
update erased_accounts set finished_at = erased_at;
