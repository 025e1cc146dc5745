// For tests: EN 16931's rules over a UBL document's text, read and written independently of what
// writes it. Names the rules broken; the rules are those of the standard's schematron that our
// documents can break: BR-*, BR-CO-*, BR-DEC, BR-S/Z/E/AE/O-*, BR-CL-*, and (SEQ) the order of
// elements in UBL 2.1. It is no replacement for the official schematron: see invoice_rules_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ampacity::documents {

std::vector<std::string> en16931_faults(std::string_view xml);

}  // namespace ampacity::documents
