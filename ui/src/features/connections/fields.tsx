import { FileUp } from 'lucide-react'
import { useRef } from 'react'
import { StdioCommandsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Field, Input, Textarea } from '@/kit/field'
import { PasswordInput } from '@/kit/password'
import { RadioCards } from '@/kit/radio'
import { Record } from '@/kit/record'
import { Select } from '@/kit/select'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import type { Draft } from './draft'
import { isMcp } from './draft'
import { icons } from './words'

type Props = { draft: Draft; set: (patch: Partial<Draft>) => void; errors: Record<string, string> }

/** What it is called, and where it leads. */
export function PlaceFields({ draft: d, set, errors, editing = false }: Props & { editing?: boolean }) {
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-[1fr_11rem]">
        <Field label={t('Name')} required error={errors.name} hint={d.name ? t('Callers know its tools as {{name}}.', { name: `${d.name.trim()}__name` }) : t('Stands before the names of its tools.')}>
          {(wiring) => <Input {...wiring} value={d.name} onChange={(e) => set({ name: e.target.value.toLowerCase() })} maxLength={40} spellCheck={false} autoCapitalize="none" placeholder="handbook" />}
        </Field>
        <Field label={t('Picture')} error={errors.icon}>
          {(wiring) => <Select {...wiring} value={d.icon} onChange={(icon) => set({ icon })} options={[{ value: '', label: t('By its kind') }, ...Object.entries(icons).map(([value, i]) => ({ value, label: i.label }))]} />}
        </Field>
      </div>
      <Field label={t('Description')} error={errors.description} hint={t('What it is for, for those who use it.')}>
        {(wiring) => <Textarea {...wiring} value={d.description} onChange={(e) => set({ description: e.target.value })} maxLength={500} className="min-h-14" rows={2} />}
      </Field>
      {isMcp(d.kind) && (
        <Field label={t('Address')} required error={errors.url} hint={t('As the server’s manual gives it, often ending in /mcp. Keys don’t belong into it.')}>
          {(wiring) => <Input {...wiring} type="url" value={d.url} onChange={(e) => set({ url: e.target.value })} spellCheck={false} placeholder="https://mcp.example.com/mcp" />}
        </Field>
      )}
      {d.kind === 'MCP_STDIO' && <Command draft={d} set={set} errors={errors} />}
      {d.kind === 'COMPOSIO' && (
        <Field label={t('Toolkit')} required error={errors.toolkit} hint={t('Its slug at Composio, as in github or gmail.')}>
          {(wiring) => <Input {...wiring} value={d.toolkit} onChange={(e) => set({ toolkit: e.target.value.toLowerCase() })} maxLength={100} spellCheck={false} autoCapitalize="none" placeholder="github" className="font-mono" />}
        </Field>
      )}
      {d.kind === 'OPENAPI' && <Document draft={d} set={set} errors={errors} editing={editing} />}
    </>
  )
}

function Command({ draft: d, set, errors }: Props) {
  const { data } = useRead(StdioCommandsDocument, {})
  const options = (data?.copilot?.stdioCommands ?? []).map((words) => ({ value: JSON.stringify(words), label: words.join(' ') }))
  return (
    <Field label={t('Program')} required error={errors.command} hint={t('Those that whoever runs Cockpit lets be started.')}>
      {(wiring) => <Select {...wiring} value={d.command || null} onChange={(command) => set({ command })} options={options} placeholder={t('Which program?')} />}
    </Field>
  )
}

function Document({ draft: d, set, errors, editing }: Props & { editing: boolean }) {
  const file = useRef<HTMLInputElement>(null)
  return (
    <>
      <div className="flex flex-col gap-1.5">
        <span className="text-sm font-medium">{t('OpenAPI document')}</span>
        <Segments
          label={t('Where the document comes from')}
          value={d.source}
          onChange={(source) => set({ source })}
          options={[
            { value: 'address', label: t('By its address') },
            { value: 'text', label: t('As text') },
          ]}
          className="self-start"
        />
      </div>
      {d.source === 'address' ? (
        <Field label={t('Address of the document')} required error={errors.documentUrl ?? errors.document} hint={t('Read now and at every later look, so that changes show. OpenAPI 3, JSON or YAML.')}>
          {(wiring) => <Input {...wiring} type="url" value={d.documentUrl} onChange={(e) => set({ documentUrl: e.target.value })} spellCheck={false} placeholder="https://api.example.com/openapi.yaml" />}
        </Field>
      ) : (
        <Field label={t('Document')} required={!editing} error={errors.document ?? errors.documentUrl} hint={editing ? t('Left empty, the one that is there stays.') : t('OpenAPI 3 in JSON or YAML, at most 5 MB.')}>
          {(wiring) => (
            <>
              <Textarea {...wiring} value={d.document} onChange={(e) => set({ document: e.target.value })} spellCheck={false} className="min-h-32 font-mono text-xs" placeholder="openapi: 3.1.0" />
              <input
                ref={file}
                type="file"
                accept=".json,.yaml,.yml,application/json,application/yaml"
                hidden
                aria-label={t('File of the document')}
                onChange={(e) => {
                  const chosen = e.target.files?.[0]
                  if (chosen) void chosen.text().then((document) => set({ document }))
                }}
              />
              <Button size="sm" onClick={() => file.current?.click()} className="self-start">
                <FileUp aria-hidden /> {t('Choose a file')}
              </Button>
            </>
          )}
        </Field>
      )}
      <Field label={t('Address of the API')} error={errors.url} hint={t('Left empty: the first server that the document names.')}>
        {(wiring) => <Input {...wiring} type="url" value={d.url} onChange={(e) => set({ url: e.target.value })} spellCheck={false} placeholder="https://api.example.com/v1" />}
      </Field>
    </>
  )
}

const ways: { value: Draft['auth']; label: string }[] = [
  { value: 'NONE', label: t('Not at all: the server is open to Cockpit') },
  { value: 'BEARER', label: t('A token: Authorization: Bearer …') },
  { value: 'HEADER', label: t('A key in a header or parameter of its own') },
  { value: 'BASIC', label: t('User name and password') },
  { value: 'OAUTH', label: t('OAuth: people sign in at the server') },
]

/** How it signs in, and with whose credential or account. */
export function AuthFields({ draft: d, set, errors }: Props) {
  if (d.kind === 'COMPOSIO') return <AccountFields draft={d} set={set} errors={errors} />
  return <WayFields draft={d} set={set} errors={errors} />
}

/** By whose account a toolkit of Composio is used. The API key is for all in any case. */
function AccountFields({ draft: d, set, errors }: Props) {
  const personal = d.credential === 'PERSONAL'
  return (
    <>
      <RadioCards<Draft['credential']>
        label={t('Whose account')}
        value={d.credential}
        onChange={(credential) => set({ credential })}
        options={[
          { value: 'SHARED', label: t('One for all'), note: t('Whoever manages the connection links it. The toolkit sees one caller, whoever it is.') },
          { value: 'PERSONAL', label: t("Each person's own"), note: t('Everybody links their own account at Composio, and reaches only what is theirs.') },
        ]}
      />
      <Field
        label={t('Auth config')}
        required={personal}
        error={errors.authConfig}
        hint={personal ? t('Its id at Composio: by it people link their accounts of the toolkit.') : t('Its id at Composio: by it the account is linked. Leave empty where the toolkit needs none.')}
      >
        {(wiring) => <Input {...wiring} value={d.authConfig} onChange={(e) => set({ authConfig: e.target.value })} maxLength={100} spellCheck={false} autoComplete="off" placeholder="ac_1a2b3c" className="font-mono" />}
      </Field>
    </>
  )
}

function WayFields({ draft: d, set, errors }: Props) {
  const stdio = d.kind === 'MCP_STDIO'
  return (
    <>
      {!stdio && (
        <Field label={t('How it signs in')} error={errors.auth}>
          {(wiring) => <Select {...wiring} value={d.auth} onChange={(auth) => set({ auth })} options={ways} />}
        </Field>
      )}
      {d.auth === 'HEADER' && !stdio && (
        <Field label={t('Header or parameter')} required error={errors.authName} hint={t('With a question mark before it, the key goes into the address, as in ?api_key.')}>
          {(wiring) => <Input {...wiring} value={d.authName} onChange={(e) => set({ authName: e.target.value })} spellCheck={false} placeholder="X-API-Key" className="font-mono" />}
        </Field>
      )}
      {(d.auth !== 'NONE' || stdio) && (
        <RadioCards<Draft['credential']>
          label={t('Whose credential')}
          value={d.credential}
          onChange={(credential) => set({ credential })}
          options={[
            { value: 'SHARED', label: t('One for all'), note: t('Whoever manages the connection sets it. The server sees one caller, whoever it is.') },
            { value: 'PERSONAL', label: t("Each person's own"), note: t('Everybody signs in for themselves, and reaches only what is theirs at the server.') },
          ]}
        />
      )}
      {d.auth === 'OAUTH' && !stdio && <OAuthFields draft={d} set={set} errors={errors} />}
    </>
  )
}

function OAuthFields({ draft: d, set, errors }: Props) {
  // Addresses alone don't tell where clients register.
  const own = d.tells !== 'addresses'
  return (
    <fieldset className="flex flex-col gap-4 rounded-lg border border-line p-4">
      <legend className="px-1 text-sm font-semibold">{t('At the authorization server')}</legend>
      <div className="flex flex-col gap-1.5">
        <p className="text-sm text-muted">
          {own ? t('Many servers let Cockpit register itself. Else register it there as a web application with this redirect address: it gives you a client id, and mostly a secret.') : t('Register Cockpit there as a web application with this redirect address. It gives you a client id, and mostly a secret.')}
        </p>
        <Record rows={[{ name: t('Redirect'), value: `${location.origin}/connections/callback`, copy: t('Copy redirect address') }]} />
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t('Client id')} required={!own} error={errors.clientId} hint={own ? t('Leave empty to let Cockpit register itself, where the server takes that.') : undefined}>
          {(wiring) => <Input {...wiring} value={d.clientId} onChange={(e) => set({ clientId: e.target.value })} spellCheck={false} autoComplete="off" />}
        </Field>
        <Field label={t('Client secret')} error={errors.clientSecret} hint={t('If it gave one. Kept sealed, never shown.')}>
          {(wiring) => <PasswordInput {...wiring} value={d.clientSecret} onChange={(e) => set({ clientSecret: e.target.value })} autoComplete="new-password" />}
        </Field>
      </div>
      <Field label={t('Scopes')} error={errors.scopes} hint={t('What Cockpit asks for, with blanks between. Add offline_access where the server wants that for staying signed in.')}>
        {(wiring) => <Input {...wiring} value={d.scopes} onChange={(e) => set({ scopes: e.target.value })} spellCheck={false} placeholder="read offline_access" />}
      </Field>
      <Field label={t('Where people sign in')} error={errors.tells} hint={d.tells === 'server' ? t('MCP servers tell it themselves, most of them.') : undefined}>
        {(wiring) => (
          <Select
            {...wiring}
            value={d.tells}
            onChange={(tells) => set({ tells })}
            options={[
              { value: 'server', label: t('As the server says') },
              { value: 'issuer', label: t('At an issuer that I name') },
              { value: 'addresses', label: t('At addresses that I give') },
            ]}
          />
        )}
      </Field>
      {d.tells === 'issuer' && (
        <Field label={t('Issuer')} required error={errors.issuer} hint={t('It tells the rest at /.well-known.')}>
          {(wiring) => <Input {...wiring} type="url" value={d.issuer} onChange={(e) => set({ issuer: e.target.value })} spellCheck={false} placeholder="https://login.example.com" />}
        </Field>
      )}
      {d.tells === 'addresses' && (
        <>
          <Field label={t('Authorization address')} required error={errors.authorizeUrl}>
            {(wiring) => <Input {...wiring} type="url" value={d.authorizeUrl} onChange={(e) => set({ authorizeUrl: e.target.value })} spellCheck={false} placeholder="https://login.example.com/authorize" />}
          </Field>
          <Field label={t('Token address')} required error={errors.tokenUrl}>
            {(wiring) => <Input {...wiring} type="url" value={d.tokenUrl} onChange={(e) => set({ tokenUrl: e.target.value })} spellCheck={false} placeholder="https://login.example.com/token" />}
          </Field>
        </>
      )}
    </fieldset>
  )
}
