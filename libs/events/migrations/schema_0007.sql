-- An account's own limits, which go before its plan's; null for most.
alter table accounts add column limits json;
create or replace view account_plans as select id as account_id, plan, limits from accounts;
