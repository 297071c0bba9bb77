import { useState } from 'react'
import { useViewer } from '@/graphql/viewer'
import { Dialog } from '@/kit/dialog'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { type Question, Why } from './why'

type Props = { plane: Plane; question?: Question; /** Lets the reader choose the plane. */ anyPlane?: boolean; onClose: () => void }

/** "Why can't I?", from wherever one can't. */
export default function WhyDialog({ plane: given, question: asked, anyPlane, onClose }: Props) {
  const { account } = useViewer()
  const [plane, setPlane] = useState(given)
  const [question, setQuestion] = useState(asked ?? {})
  return (
    <Dialog open onClose={onClose} title={t("Why can't I?")} description={t('What decides in {{plane}}, step by step.', { plane: nameOf(plane) })} className="max-w-2xl">
      {anyPlane && account.planes.length > 1 && (
        <Segments<Plane>
          label={t('Plane')}
          value={plane}
          onChange={(next) => {
            setPlane(next)
            setQuestion({})
          }}
          options={account.planes.map((value) => ({ value, label: nameOf(value) }))}
          className="mb-4"
        />
      )}
      <Why key={plane} plane={plane} question={question} onChange={setQuestion} />
    </Dialog>
  )
}
