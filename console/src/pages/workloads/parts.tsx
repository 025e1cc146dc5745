// What a workload's row and its page both show.
import type { Schemas } from '../../api/client'
import { Emulated } from '../../parts/state'
import { Money } from '../../parts/money'

export type Job = Schemas['JobView']

// "h100:8x4": what it runs on, or asked for.
export function hardwareText(j: Job): string {
  if (j.gpus_per_node === 0) return `${j.cpu_milli / 1000} vCPU`
  const share = j.gpu_share ? `${j.gpu_share} × ` : j.mig ? `${j.mig} × ` : ''
  return `${share}${j.sku}:${j.gpus_per_node}${j.nodes > 1 ? `x${j.nodes}` : ''}`
}

export function Hardware({ of }: { of: Job }) {
  return (
    <>
      {hardwareText(of)} <Emulated is={of.emulated} />
    </>
  )
}

export function PerHour({ of }: { of: Job }) {
  return <Money amount={of.price_usd_per_hour} currency={of.currency} />
}
