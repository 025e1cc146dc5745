// A file of the server's, taken as a click on a link would.
export function save(address: string, name: string) {
  const a = document.createElement('a')
  a.href = address
  a.download = name
  a.click()
}
