-- What operators answered to tickets; the same went out by mail.
create table support_replies (
  id bigint generated always as identity primary key,
  ticket_id bigint not null references support_tickets (id) on delete cascade,
  account_id uuid not null,
  message text not null,
  created_at timestamptz not null default now()
);
create index support_replies_of_ticket on support_replies (ticket_id, id);

-- That there was an account, and when it was erased; nothing else of it is left.
create table erased_accounts (
  id uuid primary key,
  erased_at timestamptz not null default now(),
  reason text not null,
  rows_erased bigint not null
);
