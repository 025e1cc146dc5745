// The pages of one place beside each other, each with an address of its own.
import { Link } from '@tanstack/react-router'

import './tabs.css'

export function PageTabs({ label, of }: { label: string; of: [path: string, label: string][] }) {
  return (
    <nav className="page-tabs" aria-label={label}>
      {of.map(([path, text]) => (
        <Link key={path} to={path} activeOptions={{ exact: true, includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
          {text}
        </Link>
      ))}
    </nav>
  )
}
