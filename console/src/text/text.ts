// Words for people, by key. en.ts has every key; another language is a file with the same keys,
// and the compiler says which are missing. The language is the viewer's choice, else the browser's.
import en from './en'

export type TextKey = keyof typeof en
export type Words = Record<TextKey, string>
export type Language = 'en' | 'zh-TW'

export const languages: Record<Language, string> = { en: 'English', 'zh-TW': '繁體中文' }

const loaders: Record<Language, () => Promise<Words>> = {
  en: () => Promise.resolve(en),
  'zh-TW': () => import('./zh-TW').then((m) => m.default),
}

let words: Words = en
let current: Language = 'en'
let numbers = new Intl.NumberFormat(current)

export function language(): Language {
  return current
}

export function wantedLanguage(): Language {
  const chosen = localStorage.getItem('language')
  if (chosen && chosen in languages) return chosen as Language
  return navigator.languages.some((l) => /^zh\b/i.test(l)) ? 'zh-TW' : 'en'
}

export async function speak(l: Language) {
  words = await loaders[l]()
  current = l
  numbers = new Intl.NumberFormat(l)
  if (typeof document !== 'undefined') document.documentElement.lang = l
}

type Values = Record<string, string | number>

// t('workloads.count', { n: 3 }): `{n}` in the text is replaced; numbers are grouped.
export function t(key: TextKey, values?: Values): string {
  const text: string = words[key]
  if (!values) return text
  return text.replace(/\{(\w+)\}/g, (all, name: string) => {
    const v = values[name]
    return v === undefined ? all : typeof v === 'number' ? numbers.format(v) : v
  })
}

// A wire name as people say it: 'on_demand' → t('word.on_demand') where there is such a word.
export function word(wire: string): string {
  const key = `word.${wire}`
  return key in words ? words[key as TextKey] : wire.replaceAll('_', ' ')
}
