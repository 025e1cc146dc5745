import { expect, test } from 'vitest'

import { commandOf, environmentOf, fileOf, gpusText, lineOf, nothingTyped, requestOf, type Picked } from './request'

const picked: Picked = { gpu: 'h100', n: '8', nodes: '4', share: '', job_class: 'on_demand', reservation: '' }

test.each([
  ['', []],
  ['python train.py --lr 0.1', ['python', 'train.py', '--lr', '0.1']],
  [`python -c "print('a b')"`, ['sh', '-c', `python -c "print('a b')"`]],
  [`echo 'two words' "three words more"`, ['echo', 'two words', 'three words more']],
  ['a && b', ['sh', '-c', 'a && b']],
  ['one\ntwo', ['sh', '-c', 'one\ntwo']],
])('the command %j', (text, words) => expect(commandOf(text)).toEqual(words))

test('GPUs', () => {
  expect(gpusText(picked)).toBe('h100:8x4')
  expect(gpusText({ ...picked, nodes: '1' })).toBe('h100:8')
  expect(gpusText({ ...picked, gpu: 'cpu' })).toBeUndefined()
})

test('the environment: only the first = parts name and value', () =>
  expect(environmentOf('A=1\nB=x=y\n\nnonsense')).toEqual({ A: '1', B: 'x=y' }))

test('what is left at its default is not said', () =>
  expect(requestOf(picked, { ...nothingTyped, image: 'train' })).toEqual({ image: 'train', resources: { gpus: 'h100:8x4' } }))

test('inside a reservation the class is not said', () => {
  const r = requestOf({ ...picked, job_class: 'spot', reservation: 'night' }, { ...nothingTyped, image: 'x' })
  expect(r.reservation).toBe('night')
  expect(r.job_class).toBeUndefined()
})

test('a share is of one GPU', () => {
  expect(requestOf({ ...picked, n: '1', nodes: '1', share: '0.25' }, nothingTyped).resources?.gpu_share).toBe('0.25')
  expect(requestOf({ ...picked, share: '0.25' }, nothingTyped).resources?.gpu_share).toBeUndefined()
})

test('as a line for the shell', () => {
  const r = requestOf({ ...picked, job_class: 'spot' }, { ...nothingTyped, image: 'train', command: `echo "it's"; date`, volumes: ['data:/data'], time: '2h' })
  expect(lineOf(r)).toBe(`ampacity run --image train --gpus h100:8x4 --class spot --time 2h -v data:/data -- sh -c 'echo "it'\\''s"; date'`)
})

test('as a job file', () => {
  const r = requestOf({ ...picked, job_class: 'spot' }, { ...nothingTyped, image: 'docker.io/library/debian:12', command: 'sleep 5', time: '10m' }, { A: 'no' })
  expect(fileOf(r)).toBe(
    'image: docker.io/library/debian:12\ncommand: [sleep, "5"]\nresources:\n  gpus: h100:8x4\nenv:\n  A: "no"\ntime: "10m"\nclass: spot\n',
  )
})
