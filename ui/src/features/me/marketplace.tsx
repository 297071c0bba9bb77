import { PageHead } from '@/kit/page'
import { t } from '@/lib/i18n'
import { Gallery } from '@/features/marketplace'
import { MeTabs } from './tabs'

/** The marketplace for those who use what others install. */
export function MyMarketplacePage() {
  return (
    <>
      <MeTabs />
      <PageHead title={t('Marketplace')} note={t('What there is in Copilot: what you have, and what you can ask for.')} />
      <Gallery home="me" />
    </>
  )
}
