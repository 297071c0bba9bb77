import { Link } from '@tanstack/react-router'
import { useViewer } from '@/graphql/viewer'
import { nameOf, type Plane, slugOf } from '@/lib/plane'

type Props = { seat: { id: string; location: string }; plane?: Plane; /** The plane of the page, which goes without saying. */ here?: Plane }

/** A seat, as a way to it in its plane. */
export function SeatLink({ seat, plane, here }: Props) {
  const { account } = useViewer()
  const at = plane ?? (account.planes.length === 1 ? account.planes[0] : undefined)
  const text = plane && plane !== here ? `${nameOf(plane)}: ${seat.location}` : seat.location
  if (!at) return <span>{text}</span>
  return (
    <Link to="/a/$account/$plane/users" params={{ account: account.slug, plane: slugOf(at) }} search={{ peek: seat.id }} className="flex min-h-6 items-center rounded-sm underline decoration-line-strong underline-offset-4 hover:text-accent-text">
      {text}
    </Link>
  )
}
