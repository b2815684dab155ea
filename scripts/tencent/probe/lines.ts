/** The lines of the probe's report: what each settles. scripts/README.md names them beside what it calls uncertain. */

export const reportLines = {
  'log-service': 'The log service: activated, or the code it refuses with',
  'invoke-right': 'The right that calling a version takes, when it is refused',
  'node-version': 'The Node of the runtime, and whether scripts/tencent/runtime-node is that one',
  'event-keys': 'The event of a Function URL with `ApiGwCompatible`: names and types',
  'gateway-compatible': 'What `ApiGwCompatible` changes of the event',
  'context-keys': 'The context: names and types',
  'variable-names': 'Variables the platform sets for an event function',
  'query-values': 'A repeated and a valueless parameter of the query',
  'client-address': 'Where forged and true addresses of a client arrive, event function',
  'failure-statuses':
    'HTTP status of a thrown error, of a call out of time, and of a process that exits',
  'reply-headers': '`Location`, two cookies and a base64 body in a reply; OPTIONS',
  'time-limit':
    'Time left at the start of a call whose limit is 3 s, and when one out of time is answered',
  'event-loop': 'With `callbackWaitsForEmptyEventLoop` and a timer of 2 s: when the answer comes',
  freezing: 'Whether timers run on between two calls of an instance',
  'start-times': 'First and later calls as the caller sees them',
  'code-digest': 'What `CodeSha256` is the digest of',
  'alias-version': 'Whether `$DEFAULT` leads to a numbered version alone',
  'alias-description': 'Whether `$DEFAULT` keeps its description',
  'version-variables': 'Whether a version tells, and has, its own variables',
  'log-lines': 'Whether lines of `fs.writeSync(1)` and of `console.log` reach the log',
  'log-fields': 'The names of a log record, and what may be searched by',
  'return-values':
    'Whether the log holds what an event function returns, before and after `IgnoreSysLog`',
  'web-process': 'A Web function: its working directory, its Node, the headers it gets',
  'web-peer': 'The network of the peer of a Web function, and forged addresses there',
  'web-return-values': 'Whether the log holds what a Web function answers',
  'vpc-clearing':
    'Whether an empty VPC takes a function out of its VPC, and whether outside access stays',
  'domain-paths': 'The path that a function gets through a custom domain',
} as const satisfies Record<string, string>

/** The name of a line. */
export type ReportLine = keyof typeof reportLines

/** What was seen for a line; `settled` is false where this run could not tell, and `text` says why. */
export interface LineFinding {
  text: string
  settled: boolean
  /** JSON to be shown below the table. */
  shape?: object
}

export type Findings = Map<ReportLine, LineFinding>
