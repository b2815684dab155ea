-- Every change of a fold counts its version up, so that a folder notices a deletion that came in between without
-- holding a lock while it counts.
alter table rating_folds
  add column version bigint not null default 0;
