/** What the functions' database user may do beyond what they do: whoever gets at its password may do it as well. */

import { type Db, DbError } from '../../shared/store/db.ts'
import { type Finding, warning } from './report.ts'

const NEEDED = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE'])
const SHOWN = 4

/** Finding `database.user`; none where the database does not tell, or the user may do no more than it needs to. */
export async function checkUser(db: Db): Promise<Finding[]> {
  try {
    const { rows } = await db.query('show grants')
    return judgeGrants(rows.map((row) => String(Object.values(row)[0])))
  } catch (failure) {
    if (failure instanceof DbError) return []
    throw failure
  }
}

/** The judgement alone, of lines like ``GRANT SELECT, INSERT ON `db`.* TO …``. */
export function judgeGrants(grants: readonly string[]): Finding[] {
  const rights = grants.flatMap((grant) => [
    ...(/^GRANT (.+?) ON /.exec(grant)?.[1] ?? '').split(/, ?(?![^(]*\))/),
    ...(/ WITH GRANT OPTION/.test(grant) ? ['GRANT OPTION'] : []),
  ])
  const needless = [...new Set(rights)].filter((right) => !NEEDED.has(right.replace(/ ?\(.*/, '')))
  const named = needless.filter((right) => /^[A-Z _]+$/.test(right)).slice(0, SHOWN)
  if (named.length === 0) return []
  return [
    warning('database.user')`
      所有云函数共用的数据库用户权限过大：${named.join('、')}${needless.length > SHOWN ? ' 等' : ''}
      the database user that all functions share may do more than they need: ${named.join(', ')}${needless.length > SHOWN ? ' …' : ''}
      给云函数单独建一个用户：grant select, insert, update, delete on 库名.*；npm run migrate 用另一个用户（另一个 .env.NAME）
      give the functions a user of their own: grant select, insert, update, delete on NAME.*; npm run migrate with another (another .env.NAME)`,
  ]
}
