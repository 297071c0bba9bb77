import { useState } from 'react'
import { CreditFactorSetDocument, type CreditFactorSetMutation } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { dateTime, exact, money, parseAmount, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { AccountOf } from './account'

/** What a dollar of cost is in credits, and since when. */
export function Factors({ account: a, onChanged }: { account: AccountOf; onChanged: () => void }) {
  const [setting, setSetting] = useState(false)
  const factors = a.creditFactors ?? [] // newest first
  const inForce = factors.findIndex((f) => f.inForce)
  const ahead = inForce < 0 ? factors.length : inForce
  return (
    <Card>
      <CardHead title={t('Credit factor')} note={t('Credits per US dollar of cost; every charge keeps the one it was made by')}>
        {may(a, 'account.factor') && a.status !== 'CLOSED' && (
          <Button size="sm" onClick={() => setSetting(true)}>
            {t('Set factor…')}
          </Button>
        )}
      </CardHead>
      {factors.length === 0 ? (
        <p className="px-4 pb-4 text-muted">{a.creditFactor ? t('The default: {{factor}} credits per $.', { factor: exact(a.creditFactor, 'CREDITS') }) : t('The default.')}</p>
      ) : (
        <div className="border-t border-line">
          <Table label={t('Credit factors')}>
            <Head>
              <Th>{t('From')}</Th>
              <Th className="text-end">{t('Credits per $')}</Th>
              <Th>
                <span className="sr-only">{t('State')}</span>
              </Th>
            </Head>
            <tbody>
              {factors.map((f, i) => (
                <tr key={f.id} className={rowClass}>
                  <Td>
                    <time title={utc(f.effectiveFrom)}>{dateTime(f.effectiveFrom)}</time>
                  </Td>
                  <Td className="num text-end">{exact(f.factor, 'CREDITS')}</Td>
                  <Td className="text-end">{f.inForce ? <Badge tone="ok">{t('In force')}</Badge> : i < ahead ? <Badge tone="info">{t('To come')}</Badge> : null}</Td>
                </tr>
              ))}
            </tbody>
          </Table>
        </div>
      )}
      {setting && (
        <SetFactor
          account={a}
          onClose={() => setSetting(false)}
          onDone={() => {
            setSetting(false)
            onChanged()
          }}
        />
      )}
    </Card>
  )
}

type Effect = NonNullable<CreditFactorSetMutation['creditFactorSet']['effect']>

/** Two steps: what it would have meant, then the change. */
function SetFactor({ account, onClose, onDone }: { account: AccountOf; onClose: () => void; onDone: () => void }) {
  const set = useMutate(CreditFactorSetDocument)
  const [text, setText] = useState(account.creditFactor ?? '')
  const [from, setFrom] = useState('')
  const [effect, setEffect] = useState<Effect | null>(null)
  const [error, setError] = useState<{ at: string; text: string }>()
  const change = (f: () => void) => {
    f()
    setEffect(null)
    setError(undefined)
  }
  const save = async (event: React.FormEvent) => {
    event.preventDefault()
    const factor = parseAmount(text)
    if (factor === null) return setError({ at: 'factor', text: t('Enter a number such as 1000.') })
    const payload = await set.run({ input: { accountId: account.id, factor, from: from ? new Date(`${from}:00Z`).toISOString() : undefined, dryRun: !effect } })
    if (!payload) return
    if (payload.errors[0]) return setError({ at: payload.errors[0].path.at(-1) ?? 'factor', text: payload.errors[0].message })
    if (!effect) return setEffect(payload.effect ?? null)
    toast(t('{{name}} pays {{factor}} credits per $', { name: account.name, factor: exact(factor, 'CREDITS') }))
    onDone()
  }
  return (
    <Dialog open onClose={onClose} title={t('Credit factor of {{name}}', { name: account.name })} description={t('Holds for calls from its moment on. What was charged before stays as it is.')}>
      <form onSubmit={save} noValidate className="flex flex-col gap-4">
        <Field label={t('Credits per US dollar')} required error={error?.at === 'factor' ? error.text : undefined}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" className="num" value={text} onChange={(e) => change(() => setText(e.target.value))} onFocus={(e) => e.target.select()} />}
        </Field>
        <Field label={t('From (UTC)')} hint={t('Empty: from now on.')} error={error && error.at !== 'factor' ? error.text : undefined}>
          {(wiring) => <Input {...wiring} type="datetime-local" className="num" value={from} onChange={(e) => change(() => setFrom(e.target.value))} />}
        </Field>
        {effect && (
          <p role="status" className="rounded-md bg-info-soft px-3 py-2 text-sm">
            {t('Over the last 30 days it would have been {{new}} credits instead of {{old}}, for {{cost}} of cost.', { new: money(effect.wouldHaveBeen, 'CREDITS'), old: money(effect.charged, 'CREDITS'), cost: money(effect.cost, 'USD') })}
          </p>
        )}
        {set.fault && <ErrorBar fault={set.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={set.busy}>
            {effect ? t('Set factor') : t('Show the effect')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
