import type { ReactNode } from 'react'
import { Logo } from './logo'

/** The frame of pages outside of an account: signing in, taking up an invitation, allowing a program. */
export function Gate({ title, children, foot }: { title: string; children: ReactNode; foot?: ReactNode }) {
  return (
    <main className="relative flex min-h-dvh flex-col items-center justify-center overflow-hidden bg-bg px-4 py-10">
      <title>{`${title} · Cockpit`}</title>
      <Backdrop />
      <div className="relative w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Logo className="size-7" />
          <span className="text-lg font-semibold tracking-tight">Cockpit</span>
        </div>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-xs max-sm:p-5">{children}</div>
        {foot && <div className="mt-4 text-center text-xs text-muted">{foot}</div>}
      </div>
    </main>
  )
}

export function GateHead({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className="mb-5">
      <h1 className="text-lg font-semibold text-balance">{title}</h1>
      {children && <div className="mt-0.5 text-muted">{children}</div>}
    </div>
  )
}

/** The product's own picture: a budget burning towards its limit. */
function Backdrop() {
  return (
    <svg aria-hidden viewBox="0 0 1440 900" preserveAspectRatio="xMidYMax slice" className="absolute inset-0 size-full" fill="none">
      <g transform="translate(0 150)">
        <line x1={0} x2={1440} y1={40} y2={40} className="stroke-line" strokeWidth={2} strokeDasharray="3 9" />
        <path d="M0 820C90 810 130 800 200 788s120-6 190-44 110-14 180-62 120-34 190-52 110-72 190-96V1000H0Z" className="fill-accent-soft" opacity={0.6} />
        <path d="M0 820C90 810 130 800 200 788s120-6 190-44 110-14 180-62 120-34 190-52 110-72 190-96" className="stroke-accent" opacity={0.35} strokeWidth={2.5} />
        <path d="M950 534C1120 470 1280 380 1440 300" className="stroke-accent" opacity={0.35} strokeWidth={2.5} strokeDasharray="8 9" />
        <circle cx={950} cy={534} r={6} className="fill-accent" opacity={0.5} />
      </g>
    </svg>
  )
}
