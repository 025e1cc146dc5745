import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// `npm run dev` serves the pages as they are edited and asks a server that runs, AMPACITY_URL, for the
// rest; with AMPACITY_KEY in that key's name, else signed in by its page.
const url = process.env.AMPACITY_URL ?? 'http://127.0.0.1:7878'
const key = process.env.AMPACITY_KEY
const proxy = { '/v1': { target: url, ws: true, headers: key ? { Authorization: `Bearer ${key}` } : undefined } }

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: {
    outDir: '../build/console/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy },
  preview: { proxy },
  // A test of components says `// @vitest-environment jsdom`: it takes seconds to come up.
  test: { environment: 'node', testTimeout: 60_000 },
})
