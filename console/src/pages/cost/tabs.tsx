import { PageTabs } from '../../parts/tabs'
import { t } from '../../text/text'

export function CostTabs() {
  return (
    <PageTabs
      label={t('cost.title')}
      of={[
        ['/cost', t('cost.spend')],
        ['/cost/budgets', t('budgets.title')],
      ]}
    />
  )
}
