/** A line of a text diff. */
export type Line = { kind: 'same' | 'gone' | 'new'; text: string }

const most = 2000

/** Compares two texts line by line: the longest common run of lines stays. */
export function compareLines(before: string, after: string): Line[] {
  const a = before === '' ? [] : before.split('\n')
  const b = after === '' ? [] : after.split('\n')
  const all = (kind: Line['kind'], lines: string[]): Line[] => lines.map((text) => ({ kind, text }))
  if (a.length > most || b.length > most) return [...all('gone', a), ...all('new', b)]
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
    }
  }
  const out: Line[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: 'same', text: a[i]! })
      i++
      j++
    } else if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      out.push({ kind: 'gone', text: a[i++]! })
    } else {
      out.push({ kind: 'new', text: b[j++]! })
    }
  }
  return out
}
