// Every page: opened, seen to be ready, pictured light and dark, and asked of axe; the customer's
// also on a phone. A new page adds a line.
//   name, address (`{job}` …: from the seed), role, what is on it when it is ready
export const pages = [
  ['sign-in', '/', 'nobody', 'role=button[name="Sign in"]'],
  ['workloads', '/workloads', 'customer', 'text=train-demo'],
  ['workloads-all', '/workloads?state=all', 'owner', 'text=hello'],
  ['workload', '/workloads/{running}', 'customer', 'text=train-demo'],
  ['workload-waiting', '/workloads/{waiting}', 'customer', 'text=Why it waits'],
  ['workload-log', '/workloads/{running}?tab=log', 'customer', 'text=epoch 2'],
  ['workload-shell', '/workloads/{running}?tab=shell', 'customer', 'role=button[name="Open a shell"]'],
  ['workload-timeline', '/workloads/{ended}?tab=timeline', 'customer', 'text=succeeded'],
  ['workload-receipt', '/workloads/{ended}?tab=receipt', 'customer', 'text=Transfers'],
  ['fleet', '/fleet', 'owner', 'text=leased'],
  ['fleet-found', '/fleet?q=h100', 'owner', 'text=nodes found'],
  ['node', '/fleet/emulated-h100-1', 'owner', 'text=What runs here'],
  ['not-found', '/workloads/job-00000000000000000000000000', 'customer', 'text=nothing at this address'],
]
