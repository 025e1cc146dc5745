// GPUs at once as one field: "h100 16, any 64".

interface Line {
  what: string
  limit?: string | null
}

// From a quota's lines: "gpus" is of all kinds, "h100 gpus" of one.
export function gpusText(lines: Line[]): string {
  return lines
    .filter((l) => l.limit && (l.what === 'gpus' || l.what.endsWith(' gpus')))
    .map((l) => `${l.what === 'gpus' ? 'any' : l.what.slice(0, -5)} ${l.limit}`)
    .join(', ')
}

// null: it cannot be read.
export function gpusOf(text: string): Record<string, string> | null {
  const gpus: Record<string, string> = {}
  for (const part of text.split(',').map((p) => p.trim()).filter(Boolean)) {
    const m = /^([\w.-]+)[\s:=]+(\d+(?:\.\d+)?)$/.exec(part)
    if (!m) return null
    gpus[m[1]!] = m[2]!
  }
  return gpus
}
