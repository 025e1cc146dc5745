import type { FleetEvent, FleetMap } from '../src/pages/fleet/model'

export class SyntheticFleet {
  constructor(gpus: number, options?: { sites?: number; perNode?: number; perRack?: number; seed?: number })
  map: FleetMap
  everything(): FleetEvent
  change(n: number): FleetEvent
}
