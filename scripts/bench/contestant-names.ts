/** As the tables and the picture call the contestants of the benchmark of the peers. */
export const contestantNames = {
  noOp: 'does nothing',
  floor: 'floor: no framework, no checks',
  own: 'miniscore',
  hono: 'Hono, jose, valibot, bundled',
  express: 'Express, jsonwebtoken',
  flask: 'Flask, as in the article',
} as const
