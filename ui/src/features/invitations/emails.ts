export type Pasted = { emails: string[]; wrong: string[] }

const address = /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+\.[^\s@<>"(),;:\\]+$/

/**
 * Addresses out of what was pasted: one a line, or separated by commas, semicolons or blanks, with or without names
 * as mail programs copy them ("Ada Lovelace <ada@acme.example>"). Twice the same counts once.
 */
export function parseEmails(text: string): Pasted {
  const emails = new Set<string>()
  const wrong = new Set<string>()
  for (const line of text.split(/[\n\r,;\t]+/)) {
    const named = line.match(/<([^<>]*)>/)
    for (const word of named ? [named[1]!.trim()] : line.trim().split(/\s+/)) {
      if (!word) continue
      if (address.test(word)) emails.add(word.toLowerCase())
      else wrong.add(word)
    }
  }
  return { emails: [...emails], wrong: [...wrong] }
}
