import { CircleGauge } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { AgentPartsFragment } from '@/graphql/generated/graphql'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { t } from '@/lib/i18n'
import { Limit, useBurn, Used } from '@/features/budgets'

const BudgetPeek = lazy(async () => ({ default: (await import('@/features/budgets/peek')).BudgetPeek }))

/** A cap on all that is spent through the agent, whoever pays. */
export function AgentBudget({ agent }: { agent: AgentPartsFragment }) {
  const [editing, setEditing] = useState(false)
  const [open, setOpen] = useState(false)
  useBurn(agent.budget ? agent.id : undefined)
  const limit = <Limit scope={agent} budget={agent.budget} unit="CREDITS" editing={editing} onEdit={setEditing} allowed={may(agent, 'budget.set')} />
  return (
    <Card>
      <CardHead title={t('Budget')} note={t('A cap on all that is spent through it. Whoever calls pays from their own budget.')}>
        {agent.budget && (
          <Button size="sm" variant="ghost" onClick={() => setOpen(true)}>
            <CircleGauge aria-hidden /> {t('Details')}
          </Button>
        )}
      </CardHead>
      <div className="px-4 pb-4">
        {agent.budget ? (
          <Used state={agent.budget.state} name={agent.name}>
            {limit}
          </Used>
        ) : (
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-muted">
            {t('Only the budgets of those who call limit it.')} {may(agent, 'budget.set') && limit}
          </p>
        )}
      </div>
      {open && (
        <Suspense fallback={null}>
          <BudgetPeek id={agent.id} plane="COPILOT" onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </Card>
  )
}
