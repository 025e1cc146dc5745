// Keys that work on every page: `g` and a page's letter, `/` to the filter, `?` for all of them.
import { Kbd, Modal, Table } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { t } from '../text/text'
import { navFor } from './page'
import { useSession } from './session'

export function Keys() {
  const { me } = useSession()
  const navigate = useNavigate()
  const [help, setHelp] = useState(false)
  useEffect(() => {
    let went = -Infinity // when `g` was pressed
    function key(e: KeyboardEvent) {
      const typing = (e.target as HTMLElement).closest('input, textarea, select, [role=dialog], .xterm')
      if (typing || e.ctrlKey || e.metaKey || e.altKey) return
      if (performance.now() - went < 1500) {
        went = -Infinity
        const page = navFor(me.role).find((p) => p.nav?.key === e.key)
        if (page) void navigate({ to: `/${page.path}` })
        return
      }
      if (e.key === 'g') went = performance.now()
      else if (e.key === '?') setHelp(true)
      else if (e.key === '/') {
        const filter = document.querySelector<HTMLElement>('[data-filter]')
        if (filter) {
          filter.focus()
          e.preventDefault()
        }
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [me.role, navigate])
  const keys: [string[], string][] = [
    [['Ctrl', 'K'], t('keys.palette')],
    [['/'], t('keys.filter')],
    [['j'], t('keys.next')],
    [['Enter'], t('keys.open')],
    ...navFor(me.role).map((p): [string[], string] => [['g', p.nav!.key], t('keys.go', { page: t(p.title) })]),
    [['?'], t('keys.help')],
  ]
  return (
    <Modal opened={help} onClose={() => setHelp(false)} title={t('keys.title')} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <Table>
        <Table.Tbody>
          {keys.map(([k, what]) => (
            <Table.Tr key={what}>
              <Table.Td>
                {k.map((one) => (
                  <Kbd key={one} mr={4}>
                    {one}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
