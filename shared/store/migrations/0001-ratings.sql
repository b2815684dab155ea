-- Users and ratings. Ids are UUIDv7 made by the application, times are milliseconds since 1970 (UTC).

-- Who an openid is: (mini program, openid) → user. Small, looked up at login only. Case matters in an openid.
create table if not exists identities (
  appid varchar(64) character set ascii collate ascii_bin not null,
  openid varchar(64) character set ascii collate ascii_bin not null,
  user_id binary(16) not null,
  created_at bigint not null,
  primary key (appid, openid)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- One row a person; everything else about a person lies at the same user_id.
create table if not exists users (
  user_id binary(16) not null,
  appid varchar(64) character set ascii collate ascii_bin not null,
  openid varchar(64) character set ascii collate ascii_bin not null,
  unionid varchar(64) character set ascii collate ascii_bin null,
  created_at bigint not null,
  last_login_at bigint not null,
  primary key (user_id)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- The ratings of an account lie together, oldest first, so that a page of them, and everything after an id, is a
-- range of the primary key. insert_time repeats the time inside id for people who read the table.
-- idempotency_key is the client's, or '=' and the id in hex when it sent none; content_hash tells a repeated
-- submission from another one under the same key.
create table if not exists ratings (
  acc_nbr varchar(64) character set ascii collate ascii_bin not null,
  id binary(16) not null,
  user_id binary(16) not null,
  grade1 smallint null,
  grade2 smallint null,
  grade3 smallint null,
  txt1 text character set utf8mb4 collate utf8mb4_bin not null,
  txt2 text character set utf8mb4 collate utf8mb4_bin not null,
  txt3 text character set utf8mb4 collate utf8mb4_bin not null,
  insert_time bigint not null,
  idempotency_key varchar(64) character set ascii collate ascii_bin not null,
  content_hash binary(32) not null,
  primary key (acc_nbr, id),
  unique key ratings_once (acc_nbr, user_id, idempotency_key),
  key ratings_by_author (user_id, id)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- Counts of an account's ratings up to and including the id folded_through (16 zero bytes: none yet). counts is
-- JSON: {"count":2,"grades":{"grade1":{"4":1,"5":1},…}}. A summary is this row plus the ratings after that id.
create table if not exists rating_folds (
  acc_nbr varchar(64) character set ascii collate ascii_bin not null,
  folded_through binary(16) not null,
  counts text character set utf8mb4 collate utf8mb4_bin not null,
  primary key (acc_nbr)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;
