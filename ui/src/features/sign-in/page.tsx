import { KeyRound, Plus } from 'lucide-react'
import { SignInSettingsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { useUrl } from '@/lib/url'
import { Enforce } from './enforce'
import { ProviderForm } from './form'
import { Provider } from './provider'

/** How people of the account prove who they are. */
export function SignInSettingsPage() {
  const [url, setUrl] = useUrl<{ tested: string; new: string; edit: string }>()
  const { data, loading, fault, retry } = useRead(SignInSettingsDocument, {})
  const a = data?.account
  const providers = a?.identityProviders?.edges.map((e) => e.node) ?? []
  const mayChange = may(a, 'signIn.configure')
  const editing = mayChange ? providers.find((p) => p.id === url.edit) : undefined
  useKeys({ c: () => mayChange && setUrl({ new: 'provider' }) })
  const add = mayChange && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'provider' })}>
      <Plus aria-hidden /> {t('Add provider')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Sign-in')} note={t('Let your own identity provider say who people are, and its groups what they become.')}>
        {providers.length > 0 && add}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-80" />}
      {a?.identityProviders && providers.length === 0 && (
        <Card>
          <Empty icon={<KeyRound aria-hidden />} title={t('People sign in by password')} action={add}>
            {t('Add Microsoft Entra ID, Okta, Google Workspace, Zitadel or any other OpenID Connect provider. Nothing changes for anybody before you have tested and activated it.')}
          </Empty>
        </Card>
      )}
      <div className="flex flex-col gap-4">
        {providers.map((p) => (
          <Provider key={p.id} provider={p} enforced={a?.ssoEnforced ?? false} tested={url.tested === p.id} onSeen={() => setUrl({ tested: undefined })} onEdit={() => setUrl({ edit: p.id })} />
        ))}
      </div>
      {a && <Enforce account={a} />}
      {url.new === 'provider' && mayChange && <ProviderForm onClose={() => setUrl({ new: undefined })} onSaved={() => setUrl({ new: undefined })} />}
      {editing && <ProviderForm key={editing.id} provider={editing} onClose={() => setUrl({ edit: undefined })} onSaved={() => setUrl({ edit: undefined, tested: undefined })} />}
    </>
  )
}
