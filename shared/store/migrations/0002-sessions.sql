-- Sessions, session keys, phone numbers. Everything of one person lies at their user_id.

-- The newest three session keys, newest first, sealed (AES-256-GCM, bound to the user). session_key_digest is an HMAC of
-- the newest, so that a login with an unchanged key does not push out an older one. phone_digest is the HMAC of a number
-- proved through WeChat's phone API, and null for one that only came as client data.
alter table users
  add column session_key_1 varbinary(255) null,
  add column session_key_2 varbinary(255) null,
  add column session_key_3 varbinary(255) null,
  add column session_key_digest binary(32) null,
  add column phone_sealed varbinary(255) null,
  add column phone_digest binary(32) null;

-- One row a device. refresh_hash is the SHA-256 of the refresh token in force, previous_hash that of the one before it,
-- still good for some seconds after rotated_at. refresh_kid is the key the token in force was derived with.
-- proof_hash is the SHA-256 of the secret a bound client shows with every call.
create table if not exists sessions (
  user_id binary(16) not null,
  session_id binary(16) not null,
  kind varchar(16) character set ascii collate ascii_bin not null,
  device varchar(64) character set utf8mb4 collate utf8mb4_bin not null,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null,
  ended_at bigint null,
  refresh_generation int not null,
  refresh_kid varchar(32) character set ascii collate ascii_bin not null,
  refresh_hash binary(32) not null,
  previous_hash binary(32) null,
  rotated_at bigint not null,
  proof_hash binary(32) null,
  primary key (user_id, session_id)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- Codes that were sent lately, as HMACs: who may send one again and what came of it. Rows are of no use after a minute.
create table if not exists code_claims (
  code_digest binary(32) not null,
  nonce_digest binary(32) not null,
  claimed_at bigint not null,
  user_id binary(16) null,
  session_id binary(16) null,
  primary key (code_digest)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- Who holds a phone number: the last person who proved it.
create table if not exists phone_holders (
  phone_digest binary(32) not null,
  user_id binary(16) not null,
  previous_user_id binary(16) null,
  bound_at bigint not null,
  primary key (phone_digest)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- How often something happened in the current window.
create table if not exists counters (
  counter_key varchar(96) character set ascii collate ascii_bin not null,
  window_start bigint not null,
  used int not null,
  primary key (counter_key)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;
