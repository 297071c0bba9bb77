import type { Plane } from '@/lib/plane'
import { CatalogueSwitches } from './catalogue'
import { Providers } from './providers'

/** Console brings its own models, Copilot switches on what the platform offers. */
export function ModelsPage({ plane }: { plane: Plane }) {
  return plane === 'CONSOLE' ? <Providers /> : <CatalogueSwitches />
}
