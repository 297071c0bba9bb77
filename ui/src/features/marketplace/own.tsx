import { Link } from '@tanstack/react-router'
import { Plus, Store } from 'lucide-react'
import { MarketplaceDocument, type ListingStatus } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { count } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ListingIcon } from './card'
import { type Home, usePlaces } from './places'
import { kindName, statusName, statusTone } from './words'

type Props = { home: Home; status?: ListingStatus; search?: string; onNew?: () => void }

/** Listings that one runs, wherever they stand. */
export function OwnListings({ home, status, search, onNew }: Props) {
  const { listing: to } = usePlaces(home)
  const platform = home === 'platform'
  const { data, rows, loading, fetching, fault, retry, more } = usePages(MarketplaceDocument, { filter: { own: true, status, search }, orderBy: 'NEWEST' as const }, (d) => d.marketplace)
  const create = onNew && (
    <Button variant="primary" size="sm" onClick={onNew}>
      <Plus aria-hidden /> {platform ? t('New listing') : t('Share something')}
    </Button>
  )
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-15" />}
        {data && rows.length === 0 && (
          <Empty icon={<Store aria-hidden />} title={status || search ? t('Nothing matches') : t('Nothing is listed yet')} action={status || search ? undefined : create}>
            {!status && !search && (platform ? t('Templates, agents and connections that accounts install show here.') : t('Share an agent or a connection that works well for you: colleagues find it, and install it or ask for it.'))}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Listings')}>
            <Head>
              <Th>{t('Name')}</Th>
              <Th wide>{t('Kind')}</Th>
              {!platform && <Th wide>{t('Belongs to')}</Th>}
              <Th wide className="text-end">
                {t('Version')}
              </Th>
              <Th wide className="text-end">
                {t('Installed')}
              </Th>
              <Th wide className="text-end">
                {t('Stars')}
              </Th>
              <Th>{t('State')}</Th>
            </Head>
            <tbody>
              {rows.map((l) => (
                <tr key={l.id} className={rowClass}>
                  <Td>
                    <Link data-row-link to={to(l.id)} className="flex min-w-0 items-center gap-3 rounded-sm">
                      <ListingIcon listing={l} />
                      <span className="min-w-0">
                        <span className="block font-medium hover:underline">{l.name}</span>
                        <span className="block max-w-72 truncate text-xs text-muted max-sm:max-w-44">{l.summary || kindName[l.kind]}</span>
                      </span>
                    </Link>
                  </Td>
                  <Td wide>{kindName[l.kind]}</Td>
                  {!platform && <Td wide>{l.scopeName}</Td>}
                  <Td wide className="num text-end">
                    {l.publishedVersion || '–'}
                  </Td>
                  <Td wide className="num text-end">
                    {l.kind === 'MODEL' ? '–' : count(l.installCount)}
                  </Td>
                  <Td wide className="num text-end">
                    {l.rating ? l.rating.toFixed(1) : '–'}
                  </Td>
                  <Td>
                    <span className="flex flex-wrap gap-1.5">
                      <Badge tone={statusTone[l.status]}>{statusName[l.status]}</Badge>
                      {l.featured && <Badge tone="accent">{t('Featured')}</Badge>}
                    </span>
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
    </>
  )
}
