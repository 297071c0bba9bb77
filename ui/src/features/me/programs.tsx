import { PageHead } from '@/kit/page'
import { t } from '@/lib/i18n'
import { AuthorizationList } from '@/features/authorizations'
import { TokenList } from '@/features/tokens'
import { MeTabs } from './tabs'

/** What acts in one's name: own scripts by token, programs of others by consent. */
export function ProgramsPage() {
  return (
    <>
      <MeTabs />
      <PageHead title={t('Tokens & programs')} note={t('What acts in your name. Each can be refused within a second.')} />
      <div className="flex flex-col gap-4">
        <TokenList />
        <AuthorizationList />
      </div>
    </>
  )
}
