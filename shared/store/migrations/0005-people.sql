-- People who left, and how long a number is held.

-- left_at is set when a person asks to be forgotten: from then on no session of theirs is good, and nothing is added to
-- the row, which goes last, when whatever a call under way still wrote was removed as well. phone_bound_at is when the
-- number was proved last, phone_since the moment from which on its ratings may be read: 0 for all of them. Numbers
-- bound before these columns came count as held no more, for they may have been taken for somebody else's.
alter table users
  add column left_at bigint null,
  add column phone_bound_at bigint null,
  add column phone_since bigint null,
  add key users_who_left (left_at);

-- held_since: 0 for the first person who proved the number, else when it was taken over. user_id is 16 zero bytes where
-- somebody held it and holds it no more.
alter table phone_holders
  add column held_since bigint not null default 0,
  add key phone_holders_by_user (user_id),
  add key phone_holders_by_previous (previous_user_id);

-- phone_sealed: the number that a phone code stood for, while binding it still lacks a fresh login.
alter table code_claims
  add column phone_sealed varbinary(255) null,
  add key code_claims_by_user (user_id);
