// See ubl_check.sh. Turns UBL into the JSON that the package's schema describes, by that schema.
import fs from 'node:fs';
import path from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import Ajv from 'ajv/dist/2019.js';
import { invoiceSchema as schema } from '@e-invoice-eu/core';

const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
const parser = new XMLParser({
  ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, trimValues: false,
});

function resolved(s) {
  while (s && s.$ref) s = s.$ref.slice(2).split('/').reduce((at, key) => at[key], schema);
  return s;
}
const elements = (value) => Object.keys(value).filter((k) => !k.startsWith('@') && k !== '#text');

function json(value, shape) {
  const out = {};
  for (const key of elements(value)) {
    const inner = resolved(resolved(shape)?.properties?.[key]);
    const many = Array.isArray(value[key]) ? value[key] : [value[key]];
    const item = inner?.type === 'array' ? inner.items : inner;
    const turned = many.map((v) =>
      typeof v === 'string' ? v : elements(v).length ? json(v, item) : v['#text'] ?? '');
    out[key] = inner?.type === 'array' || turned.length > 1 ? turned : turned[0];
    if (typeof many[0] === 'object')
      for (const name of Object.keys(many[0]))
        if (name.startsWith('@') && !name.startsWith('@xmlns')) out[key + name] = many[0][name];
  }
  return out;
}

// The schema knows invoices; a credit note differs in these names alone.
const as_invoice = (xml) => xml
  .replaceAll('CreditNoteTypeCode', 'InvoiceTypeCode')
  .replaceAll('CreditNoteLine', 'InvoiceLine')
  .replaceAll('CreditedQuantity', 'InvoicedQuantity')
  .replace('<CreditNote ', '<Invoice ').replace('</CreditNote>', '</Invoice>');

const folder = process.argv[2];
let bad = 0, files = 0;
for (const name of fs.readdirSync(folder).filter((f) => f.endsWith('.xml')).sort()) {
  ++files;
  const root = parser.parse(as_invoice(fs.readFileSync(path.join(folder, name), 'utf8'))).Invoice;
  const document = { 'ubl:Invoice': json(root, resolved(schema).properties['ubl:Invoice']) };
  validate(document);
  // EN 16931 lets a unit price (BT-146) have more than two decimals; the package does not.
  const wrong = (validate.errors ?? []).filter(
    (e) => !(e.keyword === 'pattern' && e.instancePath.endsWith('/cac:Price/cbc:PriceAmount')));
  if (wrong.length === 0) continue;
  if (++bad > 20) continue;
  for (const e of wrong.slice(0, 5)) console.log(`${name}: ${e.instancePath} ${e.message}`);
}
console.log(`ubl_check: ${files} documents, ${bad} wrong`);
process.exit(bad || !files ? 1 : 0);
