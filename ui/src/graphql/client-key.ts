/** 128 random bits; crypto.randomUUID is missing on plain HTTP. */
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('')

/**
 * Gives inputs of a mutation the key that makes sending them again safe: the same for the same input, whether it was
 * pressed twice or the network failed, and a new one for another input or once it is done.
 */
export function clientKeys() {
  let last: { input: string; clientKey: string } | undefined
  return {
    keyed<Input extends object>(input: Input): Input & { clientKey: string } {
      const text = JSON.stringify(input)
      if (last?.input !== text) last = { input: text, clientKey: random() }
      return { ...input, clientKey: last.clientKey }
    },
    done() {
      last = undefined
    },
  }
}
