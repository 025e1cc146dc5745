// What every card does, live: GET /v1/fleet says who stands where, GET /v1/fleet/live what changes.
// Nothing here goes through React: a thousand changes a second are written into two arrays of
// letters (api/contract.h, FleetEvent), and who draws is told which nodes changed.
import { get, Problem, type Schemas } from '../../api/client'
import type { FleetMap } from './layout'

export interface Fleet {
  map: FleetMap
  nodes: Uint8Array // letters, as bytes
  gpus: Uint8Array
  firstGpu: Uint32Array
}

export interface FleetListener {
  whole: (fleet: Fleet) => void
  changed: (nodes: number[]) => void
  failed: (error: Error) => void
}

const bytes = new TextEncoder()

export function followFleet(listener: FleetListener): () => void {
  let fleet: Fleet | null = null
  let left = false
  const source = new EventSource('/v1/fleet/live')
  source.onmessage = (m) => take(JSON.parse(m.data as string) as Schemas['FleetEvent'])

  function take(e: Schemas['FleetEvent']) {
    if (e.nodes != null && e.gpus != null) {
      const nodes = bytes.encode(e.nodes)
      const gpus = bytes.encode(e.gpus)
      if (fleet && fleet.nodes.length === nodes.length && fleet.gpus.length === gpus.length) {
        fleet.nodes.set(nodes)
        fleet.gpus.set(gpus)
        return listener.whole(fleet)
      }
      get('/v1/fleet').then((map) => {
        if (left) return
        const firstGpu = new Uint32Array((map.nodes?.length ?? 0) + 1)
        map.gpus?.forEach((n, i) => (firstGpu[i + 1] = firstGpu[i]! + n))
        // A node joined between the two answers: everything comes again.
        if (firstGpu.at(-1) !== gpus.length || map.nodes?.length !== nodes.length) return
        fleet = { map, nodes, gpus, firstGpu }
        listener.whole(fleet)
      }, (error: Problem) => listener.failed(error))
      return
    }
    if (!fleet || !e.changes?.length) return
    const changed: number[] = []
    for (const c of e.changes) {
      fleet.nodes[c.node] = c.state.charCodeAt(0)
      fleet.gpus.set(bytes.encode(c.gpus), fleet.firstGpu[c.node])
      changed.push(c.node)
    }
    listener.changed(changed)
  }
  return () => {
    left = true
    source.close()
  }
}
