import { PageTabs } from '../../parts/tabs'
import { t } from '../../text/text'

export function SettingsTabs() {
  return (
    <PageTabs
      label={t('settings.title')}
      of={[
        ['/settings', t('settings.people')],
        ['/settings/keys', t('keys_page.title')],
        ['/settings/webhooks', t('webhooks.title')],
        ['/cost/budgets', t('budgets.title')],
      ]}
    />
  )
}
