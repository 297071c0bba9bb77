import type { CombinedError } from '@urql/core'
import { t } from '@/lib/i18n'

/** An error as a person may see it. */
export type Fault = { code: string; message: string; requestId?: string }

/** What the server refused, or that it can't be reached; the first error speaks. */
export function toFault(error: CombinedError): Fault {
  const first = error.graphQLErrors[0]
  if (first) {
    const { code, requestId } = first.extensions as { code?: string; requestId?: string }
    return { code: code ?? 'INTERNAL', message: first.message, requestId }
  }
  return { code: 'NETWORK', message: t("Cockpit can't be reached. Check your connection; what is shown may be old.") }
}

type UserError = { message: string; code: string; path: readonly string[] }

/** The errors of a payload by the input field they are about; '' holds those about none. */
export function byField(errors: readonly UserError[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const e of errors) {
    const field = e.path.find((p) => p !== 'input') ?? ''
    found[field] ??= e.message
  }
  return found
}
