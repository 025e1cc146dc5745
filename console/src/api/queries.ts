// The API in React: useGet reads and stays fresh by the live feed (live.ts), useSend changes.
import { keepPreviousData, QueryClient, useMutation, useQuery } from '@tanstack/react-query'
import { useRef } from 'react'

import { get, Problem, send, type Answer, type Method, type PathOf, type Sent, type Where } from './client'

// Nothing is polled: an answer is good until an event says otherwise.
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (count, e) => count < 2 && e instanceof Problem && (e.status === 0 || e.status === 503),
    },
  },
})

export type ProblemOr<T> = { data: T | undefined; error: Problem | null; isPending: boolean; isFetching: boolean; refetch: () => void }

// The key begins with the path, so that an event can name what it makes old: ['/v1/jobs', {…}].
export function getOptions<P extends PathOf<'get'>>(path: P, where?: Where<'get', P>) {
  return {
    queryKey: [path, where ?? {}] as const,
    queryFn: ({ signal }: { signal: AbortSignal }) => get(path, where, signal),
  }
}

// With `keep`, the answer before stays while another one (another filter) is fetched.
export function useGet<P extends PathOf<'get'>>(
  path: P,
  where?: Where<'get', P>,
  options: { enabled?: boolean; keep?: boolean } = {},
) {
  return useQuery<Answer<'get', P>, Problem>({
    ...getOptions(path, where),
    enabled: options.enabled,
    placeholderData: options.keep ? (keepPreviousData as never) : undefined,
  })
}

// `refresh`: paths whose answers it makes old and no event tells of.
export function useSend<M extends Exclude<Method, 'get'>, P extends PathOf<M>>(
  method: M,
  path: P,
  options: { refresh?: PathOf<'get'>[]; done?: (answer: Answer<M, P>) => void } = {},
) {
  const intent = useRef<{ of: string; key: string } | null>(null)
  return useMutation<Answer<M, P>, Problem, Where<M, P> & { body?: Sent<M, P> }>({
    mutationFn: (where) => {
      const of = JSON.stringify(where)
      if (intent.current?.of !== of) intent.current = { of, key: crypto.randomUUID() }
      return send(method, path, { ...where, idempotency: method === 'post' ? intent.current.key : undefined })
    },
    onSuccess: (answer) => {
      intent.current = null
      for (const p of options.refresh ?? []) void queries.invalidateQueries({ queryKey: [p] })
      options.done?.(answer)
    },
  })
}
