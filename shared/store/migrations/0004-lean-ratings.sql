-- Without a key of the client's a rating carries none: in idempotency_key and content_hash it has null, where up to now it
-- had '=' and its id in hex, and a hash nobody compares. Rows that have them keep them, and the release before goes on
-- writing them: no client can send such a key. ratings_own gives an author's ratings of one account in time's order.
alter table ratings
  modify column idempotency_key varchar(64) character set ascii collate ascii_bin null,
  modify column content_hash binary(32) null,
  add key ratings_own (acc_nbr, user_id, id);

-- What has had its time is found by its time, without a look at the rows that are still of use.
alter table code_claims
  add key code_claims_by_time (claimed_at);
alter table counters
  add key counters_by_time (window_start);
alter table sessions
  add key sessions_by_end (expires_at);
