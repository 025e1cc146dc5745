// What is to run there, and its limits.
import { Accordion, Fieldset, Group, NumberInput, Select, SimpleGrid, TagsInput, Textarea, TextInput } from '@mantine/core'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { t } from '../../text/text'
import type { Offer } from './hardware'
import type { Typed } from './request'

interface Props {
  draft: Typed
  change: (some: Partial<Typed>) => void
  env: string
  setEnv: (env: string) => void
  offer: Offer
  wrong: (field: string) => string | undefined
  projects?: Schemas['ProjectView'][] // operators choose one
}

export function WorkFields({ draft, change, env, setEnv, offer, wrong, projects }: Props) {
  const volumes = useGet('/v1/volumes', draft.project ? { query: { project: draft.project } } : undefined, {
    enabled: !projects || !!draft.project,
  })
  const wrongVolume = [0, 1, 2, 3].map((i) => wrong(`volumes[${i}]`)).find(Boolean) ?? wrong('volumes')
  return (
    <Fieldset legend={t('launch.work')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {projects && (
          <Select
            label={t('workloads.project')}
            value={draft.project || null}
            onChange={(project) => change({ project: project ?? '' })}
            data={projects.map((p) => p.name)}
            error={wrong('project')}
            required
            searchable
          />
        )}
        <TextInput
          label={t('launch.image')}
          description={t('launch.image.hint')}
          placeholder="docker.io/library/debian:12"
          value={draft.image}
          onChange={(e) => change({ image: e.currentTarget.value })}
          error={wrong('image')}
          required
          autoCapitalize="none"
          spellCheck={false}
        />
        <TextInput
          label={t('launch.name')}
          description={t('launch.name.hint')}
          placeholder="train-1"
          value={draft.name}
          onChange={(e) => change({ name: e.currentTarget.value })}
          error={wrong('name')}
          spellCheck={false}
        />
      </SimpleGrid>
      <Textarea
        mt="sm"
        label={t('launch.command')}
        description={t('launch.command.hint')}
        placeholder="python train.py --epochs 10"
        autosize
        minRows={2}
        maxRows={10}
        value={draft.command}
        onChange={(e) => change({ command: e.currentTarget.value })}
        error={wrong('command')}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
        <TagsInput
          label={t('launch.volumes')}
          description={t('launch.volumes.hint')}
          placeholder={draft.volumes.length ? '' : 'data:/data'}
          value={draft.volumes}
          onChange={(v) => change({ volumes: v })}
          data={(volumes.data?.items ?? []).map((v) => `${v.name}:/${v.name}`)}
          error={wrongVolume}
          splitChars={[',', ' ']}
        />
        <TextInput
          label={t('launch.time')}
          description={t('launch.time.hint')}
          placeholder="2h30m"
          value={draft.time}
          onChange={(e) => change({ time: e.currentTarget.value })}
          error={wrong('time')}
        />
      </SimpleGrid>
      <Accordion mt="md" variant="separated" chevronPosition="left">
        <Accordion.Item value="more">
          <Accordion.Control>{t('launch.more')}</Accordion.Control>
          <Accordion.Panel>
            <More draft={draft} change={change} env={env} setEnv={setEnv} offer={offer} wrong={wrong} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Fieldset>
  )
}

function More({ draft, change, env, setEnv, offer, wrong }: Props) {
  const sites = [...new Set((offer.sites ?? []).flatMap((s) => [s.site, s.region]))]
  const text = (field: keyof Typed & TextField, placeholder: string, wire: string = field) => (
    <TextInput
      label={t(`launch.${field}`)}
      description={t(`launch.${field}.hint`)}
      placeholder={placeholder}
      value={draft[field]}
      onChange={(e) => change({ [field]: e.currentTarget.value })}
      error={wrong(wire)}
    />
  )
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {text('cpus', '16', 'resources.cpus')}
        {text('memory', '128GiB', 'resources.memory')}
        {text('expected', '3h')}
        {text('start_by', '+2h')}
        {text('max_price', '3.50')}
        {text('grace', '30s')}
      </SimpleGrid>
      <Group mt="sm" align="flex-start">
        <NumberInput
          label={t('launch.retries')}
          description={t('launch.retries.hint')}
          min={0}
          max={10}
          allowDecimal={false}
          value={draft.retries}
          onChange={(n) => change({ retries: n === '' || n === 0 ? '' : String(n) })}
          error={wrong('retries')}
          w={230}
        />
        <Select
          label={t('launch.site')}
          description={t('launch.site.hint')}
          clearable
          value={draft.site || null}
          onChange={(site) => change({ site: site ?? '' })}
          data={sites}
          error={wrong('placement.sites[0]') ?? wrong('placement.sites')}
          w={230}
        />
        <Select
          label={t('launch.together')}
          description={t('launch.together.hint')}
          clearable
          value={draft.together || null}
          onChange={(together) => change({ together: together ?? '' })}
          data={[
            { value: 'nvlink', label: 'NVLink' },
            { value: 'rack', label: t('launch.together.rack') },
            { value: 'leaf', label: t('launch.together.leaf') },
          ]}
          error={wrong('placement.together')}
          w={230}
        />
      </Group>
      <Textarea
        mt="sm"
        label={t('launch.env')}
        description={t('launch.env.hint')}
        placeholder="WANDB_PROJECT=demo"
        autosize
        minRows={2}
        maxRows={10}
        value={env}
        onChange={(e) => setEnv(e.currentTarget.value)}
        error={wrong('env')}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
    </>
  )
}

type TextField = 'cpus' | 'memory' | 'expected' | 'start_by' | 'max_price' | 'grace'
