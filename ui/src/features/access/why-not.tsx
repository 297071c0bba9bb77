import { CircleQuestionMark } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { Button } from '@/kit/button'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { actOf } from './actions'

const WhyDialog = lazy(() => import('./why-dialog'))

type Node = { id: string; viewerCan: readonly { action: string; allowed: boolean; reason: string }[] }

type Props = { plane: Plane; node: Node | null | undefined; action: string }

/** Stands where the button of an action would: says why it isn't there. Nothing for those who may. */
export function WhyNot({ plane, node, action }: Props) {
  const [open, setOpen] = useState(false)
  const said = node?.viewerCan.find((p) => p.action === action)
  if (!node || !said || said.allowed || !said.reason) return null
  return (
    <>
      <Button size="sm" variant="ghost" onClick={() => setOpen(true)} title={said.reason}>
        <CircleQuestionMark aria-hidden /> {t("Why can't I {{act}}?", { act: actOf(action) })}
      </Button>
      {open && (
        <Suspense>
          <WhyDialog plane={plane} question={{ scope: node.id, action }} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
