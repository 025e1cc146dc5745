// Who issues invoices: asked for before the first one.
import { Alert, Button, Text } from '@mantine/core'
import { useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { FormDialog } from '../../parts/form_dialog'
import { t } from '../../text/text'

export function Issuer() {
  const [asking, ask] = useState(false)
  const issuer = useGet('/v1/issuer')
  const change = useSend('patch', '/v1/issuer', { refresh: ['/v1/issuer'] })
  const now = issuer.data
  if (!now) return null
  const button = (
    <Button size="xs" variant="default" onClick={() => ask(true)}>
      {t('issuer.set')}
    </Button>
  )
  return (
    <>
      {now.name ? (
        button
      ) : (
        <Alert color="yellow" variant="outline" title={t('issuer.missing')} w="100%">
          <Text c="var(--mantine-color-text)" mb="xs">
            {t('issuer.missing.hint')}
          </Text>
          {button}
        </Alert>
      )}
      {asking && (
        <FormDialog
          draft="issuer"
          title={t('issuer.title')}
          fields={[
            { name: 'name', label: t('customers.name'), required: true, initial: now.name },
            { name: 'street', label: t('issuer.street'), initial: now.street },
            { name: 'postal_code', label: t('issuer.postal'), initial: now.postal_code },
            { name: 'city', label: t('issuer.city'), initial: now.city },
            { name: 'country', label: t('issuer.country'), initial: now.country },
            { name: 'tax_id', label: t('customer.taxId'), initial: now.tax_id },
            { name: 'email', label: t('issuer.email'), initial: now.email },
            { name: 'bank', label: t('issuer.bank'), initial: now.bank },
          ]}
          close={() => ask(false)}
          action={t('do.save')}
          of={change}
          submit={(v, done) => change.mutate({ body: v }, { onSuccess: done })}
        />
      )}
    </>
  )
}
