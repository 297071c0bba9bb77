import { Radio } from '@base-ui/react/radio'
import { RadioGroup } from '@base-ui/react/radio-group'
import { useId } from 'react'
import { type ConnectionKind, ConnectionPlaceDocument, StdioCommandsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { cx } from '@/kit/cx'
import { t } from '@/lib/i18n'
import { useWithin } from '@/features/roles'
import { type Offer, offers } from './offers'
import { ConnectionIcon } from './words'

/** The kinds of connection with why one can't be made: at a place, or anywhere until that is chosen. */
export function useKinds(placeId?: string) {
  const { data: commands } = useRead(StdioCommandsDocument, {})
  const { data, fetching, fault } = useRead(ConnectionPlaceDocument, { id: placeId ?? '' }, !placeId)
  const { node: within } = useWithin('connection.create', 'COPILOT')
  const place = placeId && data?.node?.id === placeId && 'viewerCan' in data.node ? data.node : undefined
  return { kinds: offers((place ?? within)?.viewerCan ?? [], commands?.copilot?.stdioCommands), asking: Boolean(placeId) && !place && fetching, fault: placeId ? fault : undefined }
}

const words: Record<ConnectionKind, { label: string; note: string }> = {
  MCP_HTTP: { label: t('An MCP server'), note: t('By its address, over streamable HTTP: what most servers speak today.') },
  OPENAPI: { label: t('An API with an OpenAPI document'), note: t('Each of its operations becomes a tool.') },
  COMPOSIO: { label: t('A toolkit of Composio'), note: t('An app such as GitHub or Gmail, through your project at Composio.') },
  MCP_SSE: { label: t('An older MCP server'), note: t('By server-sent events, as before 2025; its address often ends in /sse.') },
  MCP_STDIO: { label: t('An MCP program beside Cockpit'), note: t('One of those that whoever runs Cockpit lets be started.') },
}

/** What one can connect; what one can't is there with its reason. */
export function KindCards({ kinds, value, onChange }: { kinds: readonly Offer[]; value?: ConnectionKind; onChange: (kind: ConnectionKind) => void }) {
  const id = useId()
  return (
    <div className="flex flex-col gap-1.5">
      <span id={id} className="text-sm font-medium">
        {t('What do you connect?')}
      </span>
      <RadioGroup aria-labelledby={id} value={value ?? null} onValueChange={(v) => onChange(v as ConnectionKind)} className="flex flex-col gap-1.5">
        {kinds.map(({ kind, reason }) => (
          <label
            key={kind}
            className={cx(
              'flex items-start gap-3 rounded-md border border-line px-3 py-2 transition-colors has-data-checked:border-accent has-data-checked:bg-accent-soft/40',
              reason ? 'cursor-not-allowed bg-hover/40' : 'cursor-pointer hover:bg-hover/60',
            )}
          >
            <Radio.Root
              value={kind}
              disabled={Boolean(reason)}
              aria-describedby={`${id}-${kind}`}
              className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-line-strong bg-surface data-checked:border-accent data-checked:bg-accent data-disabled:border-line data-disabled:bg-hover"
            >
              <Radio.Indicator className="size-1.5 rounded-full bg-accent-fg" />
            </Radio.Root>
            <span className="min-w-0 grow">
              <span className={cx('block font-medium', reason && 'text-muted')}>{words[kind].label}</span>
              <span id={`${id}-${kind}`} className="block text-xs text-muted">
                {reason ?? words[kind].note}
              </span>
            </span>
            <span className={cx(reason && 'opacity-50 grayscale')}>
              <ConnectionIcon of={{ icon: '', kind }} className="size-7" />
            </span>
          </label>
        ))}
      </RadioGroup>
    </div>
  )
}
