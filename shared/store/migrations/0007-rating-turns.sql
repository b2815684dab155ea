-- How often one person may rate one account, as the form's policy says. turn is the rating's place among those that count:
-- the second at which its period began times 100, or 0 where the period is for ever, plus which of the period it is. Null
-- where there is no policy, in ratings from before this column, and in those of nobody. Two of one person never have the same.
-- replaced: what stood in this place before, newest first, eight at most, 64 bytes each: id, the beginning of the SHA-256
-- of its key (zeros where it had none), content_hash. So a late repetition of one of them does not replace what came after.
alter table ratings
  add column turn bigint null,
  add column replaced varbinary(512) null,
  add unique key ratings_turns (acc_nbr, user_id, turn);
