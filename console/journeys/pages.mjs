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
  ['fleet', '/fleet', 'owner', 'role=application'],
  ['fleet-found', '/fleet?q=h100', 'owner', 'text=4 found'],
  ['fleet-table', '/fleet?view=table', 'owner', 'role=table'],
  ['node', '/fleet/nodes/emulated-h100-1', 'owner', 'text=What runs here'],
  ['queue', '/queue', 'owner', 'text=sweep-large'],
  ['money', '/money', 'owner', 'role=heading[level=1]'],
  ['invoices', '/money/invoices', 'owner', 'role=heading[level=1]'],
  ['close', '/money/close', 'owner', 'role=heading[level=1]'],
  ['prices', '/prices', 'owner', 'role=table'],
  ['prices-new', '/prices/new', 'owner', 'role=heading[level=1]'],
  ['customers', '/customers', 'owner', 'text=acme'],
  ['customer', '/customers/acme', 'owner', 'role=heading[level=1]'],
  ['events', '/events', 'owner', 'role=table'],
  ['not-found', '/workloads/job-00000000000000000000000000', 'customer', 'text=nothing at this address'],
]
