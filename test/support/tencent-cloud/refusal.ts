/** An error the cloud answers with: HTTP 200 and `Response.Error` (cloud.tencent.com/document/api/583/17240). */
export class Refusal extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
