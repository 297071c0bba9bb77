import { useMemo } from 'react'
import { timeZones, zoneOffset } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Picker } from './picker'

type Props = { value: string; onChange: (zone: string) => void; id?: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** A time zone, found by typing. */
export function ZonePicker({ value, onChange, ...aria }: Props) {
  const items = useMemo(() => {
    const names = timeZones()
    return (names.includes(value) || !value ? names : [value, ...names]).map((zone) => ({ value: zone, label: zone.replaceAll('_', ' '), note: zoneOffset(zone) }))
  }, [value])
  return <Picker {...aria} items={items} value={value} onChange={onChange} placeholder={t('Such as Europe/Berlin')} />
}
