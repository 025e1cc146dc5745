#!/usr/bin/env bash
# Checks UBL invoices against a schema and code lists that are not ours: those of the npm package
# @e-invoice-eu/core (structure, required elements, UNCL and UN/ECE codes of EN 16931; the rules of
# arithmetic are in src/documents/invoice_rules_test.cc).
#   tests/ubl_check.sh --fetch        get the packages into build/ubl_check (npm, ~30 packages)
#   tests/ubl_check.sh [FOLDER]       check every *.xml of it; default: what documents_test writes
# Exit 77: node or the packages are not here.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
place=$PWD/build/ubl_check

if [ "${1-}" = --fetch ]; then
  mkdir -p "$place" && cd "$place" &&
    exec npm install --no-audit --no-fund --ignore-scripts --prefix "$place" \
      ajv@8.17.1 @e-invoice-eu/core@2.3.4 fast-xml-parser@4.5.1
fi
command -v node >/dev/null || { echo "ubl_check: node is not here: skipped"; exit 77; }
[ -d "$place/node_modules/@e-invoice-eu/core" ] ||
  { echo "ubl_check: 'tests/ubl_check.sh --fetch' was not run: skipped"; exit 77; }

folder=${1-}
if [ -z "$folder" ]; then
  folder=$place/documents
  test=${AMPACITY_BIN:-build/default/bin}/documents_test
  [ -x "$test" ] || { echo "ubl_check: $test is not built"; exit 1; }
  rm -rf "$folder" && mkdir -p "$folder" || exit 1
  AMPACITY_KEEP_UBL=$folder "$test" -tc='Random invoices*' >/dev/null || exit 1
fi
cp tests/ubl_check.mjs "$place/" && exec node "$place/ubl_check.mjs" "$folder"
