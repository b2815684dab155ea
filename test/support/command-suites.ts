/**
 * Suites that start the real `serverless` and npm commands again and again, each a process of some seconds:
 * `npm run test:commands`, so that `npm test` stays short.
 */
export const commandSuites = [
  'test/walks.test.ts',
  'test/scripts/{bench,commands,doctor,restore,stages,wechat}.test.ts',
  'test/scripts/database/{held-tables,stage-migrations}.test.ts',
  'test/scripts/local/serverless-local.test.ts',
  'test/scripts/simulators/mysql-server/mysql.test.ts',
  'test/scripts/tencent/{commands,deploy,deploy-changes,deploy-safety,help,probe,release-walk,releases}.test.ts',
]
