-- Months of the log that lie in files (libs/events/archiving.py); `content` vouches for them.
create table archived_months (
  month date primary key,
  events bigint not null,
  content text not null,
  archived_at timestamptz not null default now()
);
