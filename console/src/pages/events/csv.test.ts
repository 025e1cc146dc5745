import { expect, test } from 'vitest'

import { csvOf } from './csv'

test('commas, quotes and lines are quoted; nothing is an empty cell; a formula is text', () => {
  expect(csvOf(['a', 'b'], [['x,y', 'he said "no"'], ['two\nlines', null], [-1, '=cmd()']])).toBe(
    'a,b\r\n"x,y","he said ""no"""\r\n"two\nlines",\r\n-1,\'=cmd()\r\n',
  )
})
