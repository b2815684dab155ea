/** Secrets told apart from everything else, and the places they turn up in. */

/** Which of the secrets are in any of the texts, by name. */
export function leaks(
  secrets: Readonly<Record<string, string>>,
  texts: readonly string[],
): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => secret.length > 6 && texts.some((text) => text.includes(secret)))
    .map(([name]) => name)
}
