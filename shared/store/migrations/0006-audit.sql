-- What was done with people's data by others than themselves, beside the log, which may be lost or thinned out. Rows are
-- added and read, never changed, and deleted by their age alone. person is the log's keyed pseudonym of who acted, request
-- the id that the log's lines of the same call carry; there is no id, no text and no number. occurred_at is the database's
-- time, to the second.
create table if not exists audit_events (
  event_id binary(16) not null,
  occurred_at bigint not null,
  event varchar(32) character set ascii collate ascii_bin not null,
  person varchar(16) character set ascii collate ascii_bin not null,
  request varchar(64) character set ascii collate ascii_bin not null,
  primary key (event_id),
  key audit_events_by_time (occurred_at)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;
